"""The serving image, run by its own entry point, user and health check.

Building takes minutes, so the image is one that was built before:

    make image IMAGE=saccade-server
    SACCADE_IMAGE=saccade-server pytest tests/integration/test_image.py

with buildah, which needs no daemon.
"""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from saccade import AsyncClient

IMAGE = os.environ.get("SACCADE_IMAGE", "")
BUILDAH = shutil.which("buildah") or ""
READY_S = 120.0
EXIT_S = 30.0

pytestmark = pytest.mark.skipif(
    not (IMAGE and BUILDAH), reason="needs buildah, and SACCADE_IMAGE to name a serving image"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container that buildah made of the image, and what the image says of itself."""

    name: str
    config: dict[str, Any]
    repository: Path

    def command(self, *words: str, **variables: str) -> list[str]:
        """The command line that runs `words` inside, with the repository read-only."""
        options = [f"--env={name}={value}" for name, value in variables.items()]
        volume = f"--volume={self.repository}:/models:ro"
        return [BUILDAH, "run", volume, *options, self.name, "--", *words]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A server that is ready, in its container."""

    process: asyncio.subprocess.Process
    pid: int
    grpc: str
    http_port: str

    async def stop(self) -> int:
        """Sends SIGTERM to the server itself, as a container engine does; gives the exit code.

        buildah, asked to stop, would kill it.
        """
        os.kill(self.pid, signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), EXIT_S)


def buildah(*words: str) -> str:
    return subprocess.run(
        [BUILDAH, *words], capture_output=True, text=True, timeout=300, check=True
    ).stdout.strip()


@pytest.fixture(scope="module")
def container(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    # The image's user is a stranger to the test's temporary folders.
    readable = tmp_path_factory.mktemp("image") / "repository"
    shutil.copytree(repository, readable)
    for path in (readable, *readable.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    name = buildah("from", IMAGE)
    config = json.loads(buildah("inspect", "--type", "image", IMAGE))["Docker"]["config"]
    yield Container(name=name, config=config, repository=readable)
    buildah("rm", name)


@asynccontextmanager
async def serve(container: Container) -> AsyncIterator[Served]:
    """The image's entry point on free ports."""
    variables = {
        "SACCADE_INSECURE": "true",
        "SACCADE_GRPC_PORT": "0",
        "SACCADE_HTTP_PORT": "0",
        "SACCADE_LINGER_S": "0",
    }
    command = container.command(*container.config["Entrypoint"], **variables)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), READY_S)).decode()
        ports = re.fullmatch(r"ready grpc=0\.0\.0\.0:(\d+) http=0\.0\.0\.0:(\d+)\n", line)
        assert ports, line
        pid = server_below(process.pid)
        yield Served(process=process, pid=pid, grpc=f"127.0.0.1:{ports[1]}", http_port=ports[2])
    finally:
        if process.returncode is None:
            # Killed alone, buildah would leave the server behind.
            for pid in [process.pid, *descendants(process.pid)]:
                os.kill(pid, signal.SIGKILL)
            await process.wait()


def descendants(pid: int) -> list[int]:
    """The processes below one, children before their own children."""
    children = [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    return [*children, *(below for child in children for below in descendants(child))]


def server_below(pid: int) -> int:
    """The process below buildah's own that runs Python."""
    runs = {each: Path(f"/proc/{each}/exe").readlink().name for each in descendants(pid)}
    return next(each for each, name in runs.items() if name.startswith("python"))


def identity(pid: int) -> list[tuple[str, str]]:
    """Real and effective user, real and effective group."""
    status = Path(f"/proc/{pid}/status").read_text()
    return re.findall(r"^[UG]id:\t(\d+)\t(\d+)\t", status, re.MULTILINE)


@pytest.fixture(scope="module")
def sample(artifact: Path) -> tuple[Path, str]:
    """A picture and its best class, as the manifest has them."""
    manifest = json.loads((artifact / "assets.extra" / "manifest.json").read_text())
    golden = manifest["golden"]["samples"][0]
    scores = golden["probabilities"]
    return artifact / "assets.extra" / golden["path"], manifest["class_labels"][
        scores.index(max(scores))
    ]


async def test_it_classifies(container: Container, sample: tuple[Path, str]) -> None:
    """A client outside gets the answer of the artifact's golden sample."""
    picture, label = sample

    async with serve(container) as served, AsyncClient(served.grpc) as client:
        answer = await client.classify([picture])

    assert [label] == [prediction.label for prediction in answer.raise_for_errors()]


async def test_it_runs_as_its_user(container: Container) -> None:
    """The numbers of USER, real and effective."""
    uid, gid = container.config["User"].split(":")

    async with serve(container) as served:
        found = identity(served.pid)

    assert [(uid, uid), (gid, gid)] == found


async def test_its_health_check_knows_a_ready_server_from_none(container: Container) -> None:
    """It exits 0 while the server is ready and 1 after it has gone."""
    words = container.config["Healthcheck"]["Test"][1:]

    async with serve(container) as served:
        command = container.command(*words, SACCADE_HTTP_PORT=served.http_port)
        ready = await (await asyncio.create_subprocess_exec(*command)).wait()
        await served.stop()
        gone = await (await asyncio.create_subprocess_exec(*command)).wait()

    assert (0, 1) == (ready, gone)


async def test_it_ends_well_when_asked(container: Container) -> None:
    """SIGTERM to the entry point's process: exit code 0."""
    async with serve(container) as served:
        assert 0 == await served.stop()
