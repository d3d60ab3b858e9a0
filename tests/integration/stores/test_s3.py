"""A bucket: a real server, s3fs, and a store that speaks S3's protocol (moto)."""

import http.client
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from fixtures.asked import Asked
from fixtures.http import get, read_value
from fixtures.server_process import ServerProcess
from fixtures.versions import make_version
from integration.inference_clients.environments import Unavailable, environment, site_packages
from saccade_server.artifact import MANIFEST

pytestmark = pytest.mark.timeout(700)

BUCKET = "models"
PREFIX = "served"
SIGNED = "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request, Signature=b"
"""What the store wants to see; it does not check it."""


class Bucket:
    """What a test changes in the store.

    Args:
        address: Of the store.
        kill: Ends the store.
    """

    def __init__(self, address: str, kill: Callable[[], None]) -> None:
        self.address = address
        self.kill = kill
        self._ask("PUT", "")

    def put(self, name: str, content: bytes) -> None:
        """Uploads a file of the repository."""
        self._ask("PUT", f"/{PREFIX}/{name}", content)

    def upload(self, folder: Path, name: str) -> None:
        """Uploads a folder."""
        for file in folder.rglob("*"):
            if file.is_file():
                self.put(f"{name}/{file.relative_to(folder).as_posix()}", file.read_bytes())

    def remove(self, folder: Path, name: str) -> None:
        """Removes what was uploaded of a folder."""
        for file in folder.rglob("*"):
            if file.is_file():
                self._ask("DELETE", f"/{PREFIX}/{name}/{file.relative_to(folder).as_posix()}")

    def _ask(self, verb: str, path: str, body: bytes | None = None) -> None:
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request(verb, f"/{BUCKET}{path}", body, {"Authorization": SIGNED})
            response = connection.getresponse()
            assert response.status < 300, response.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def python() -> Path:
    """The Python of an environment with the store and s3fs."""
    try:
        return environment("s3", Path(__file__).parent)
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def bucket(python: Path) -> Iterator[Bucket]:
    """An empty bucket."""
    with subprocess.Popen(
        [str(python), str(Path(__file__).with_name("s3.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        # It says other things before.
        lines = (line.strip() for line in process.stdout)
        address = next(line for line in lines if line.startswith("127.0.0.1:"))
        yield Bucket(address, process.kill)
        process.kill()


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the mirror is."""
    return tmp_path_factory.mktemp("s3")


@pytest.fixture(scope="module")
def asked(python: Path, bucket: Bucket, artifact: Path, cache: Path) -> Iterator[Asked]:
    """A server of the bucket, ready with version 1 of two models."""
    for model in ("slow", "moved"):
        bucket.upload(artifact, f"{model}/1")
    paths = [os.environ.get("PYTHONPATH", ""), str(site_packages(python))]
    server = ServerProcess(
        f"s3://{BUCKET}/{PREFIX}",
        *("--poll-s=0.2", "--engine=litert", "--rollback-s=0", f"--cache-dir={cache}"),
        environment={
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://{bucket.address}",
        },
        log=cache / "log",
    )
    try:
        server.wait_ready()
        with grpc.insecure_channel(server.grpc) as channel:
            yield Asked(server, channel)
        assert 0 == server.stop(), server.log
    finally:
        server.kill()


def waits_for(asked: Asked) -> str:
    """Why version 2 waits; empty: it does not."""
    _, reason = asked.versions("slow").get(2, ("", ""))
    return reason if reason != "is being downloaded" else ""


def test_a_version_goes_live_when_all_of_it_is_uploaded(
    asked: Asked, bucket: Bucket, artifact: Path, tmp_path: Path
) -> None:
    """File by file, the manifest first and the largest in two halves; every stage waits."""
    made = make_version(artifact, tmp_path, 2)
    files = sorted(each for each in made.rglob("*") if each.is_file())
    files.sort(key=lambda each: (each.name != "manifest.json", each.stat().st_size))
    for file in files:
        name = file.relative_to(made).as_posix()
        content = file.read_bytes()
        if file == files[1]:
            asked.reach(lambda: waits_for(asked) != "", "slow")
        if file == files[-1]:
            bucket.put(f"slow/2/{name}", content[: len(content) // 2])
            half = f"{name} is not the file that the manifest describes"
            asked.reach(lambda half=half: waits_for(asked) == half, "slow")  # type: ignore[misc]
        assert 1 == asked.answers("slow")
        bucket.put(f"slow/2/{name}", content)
    asked.reach(lambda: asked.answers("slow") == 2, "slow")
    asked.reach(lambda: list(asked.versions("slow")) == [2], "slow")

    assert ["VERSION_STATE_READY"] == [state for state, _ in asked.versions("slow").values()]


def test_a_version_is_removed_and_replaced(
    asked: Asked, bucket: Bucket, artifact: Path, tmp_path: Path, cache: Path
) -> None:
    """The one before comes back meanwhile; under the same number another content is served."""
    made = make_version(artifact, tmp_path / "first", 2)
    bucket.upload(made, "moved/2")
    asked.reach(lambda: asked.answers("moved") == 2, "moved")
    bucket.remove(made, "moved/2")
    asked.reach(lambda: asked.answers("moved") == 1, "moved")
    asked.reach(lambda: 2 not in asked.versions("moved"), "moved")
    other = make_version(artifact, tmp_path / "second", 3)
    bucket.upload(other, "moved/2")
    asked.reach(lambda: asked.answers("moved") == 2, "moved")
    [here] = cache.glob("stores/*/moved/2")

    assert (other / MANIFEST).read_bytes() == (here / MANIFEST).read_bytes()


def test_a_store_that_is_killed_takes_nothing_with_it(asked: Asked, bucket: Bucket) -> None:
    """What serves goes on, and stays ready; a metric and the log tell."""
    served = asked.answers("slow")
    bucket.kill()
    asked.reach(
        lambda: read_value(asked.server.http, "saccade_store_looks_total", outcome="failed") > 1,
        "slow",
    )

    assert (served, 200, True) == (
        asked.answers("slow"),
        get(asked.server.http, "/readyz")[0],
        f"the store s3://{BUCKET}/{PREFIX} cannot be asked" in asked.server.log,
    )
