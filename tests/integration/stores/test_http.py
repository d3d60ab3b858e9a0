"""A repository that is served over HTTP: servers are killed, and so is the store."""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from conftest import StartServer
from fixtures.asked import BOUND_S, Asked
from fixtures.http import get, read_value
from fixtures.versions import make_version
from integration.stores.folder_server import FolderServer
from saccade_server.artifact import GRAPH, read_artifact, verify_files
from saccade_server.stores.layout import read_record

pytestmark = pytest.mark.timeout(700)

FLAGS = ("--poll-s=0.1", "--engine=litert", "--rollback-s=0")


@pytest.fixture
def model(artifact: Path, tmp_path: Path) -> Path:
    """The folder of a model with version 1, in the store."""
    folder = tmp_path / "there" / "models" / "digits"
    folder.mkdir(parents=True)
    make_version(artifact, folder, 1)
    return folder


@pytest.fixture
def store(model: Path) -> FolderServer:
    """The store; not open yet."""
    return FolderServer(model.parents[1])


def processes(pid: int) -> list[int]:
    """What a process has started."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(each) for task in tasks for each in task.read_text().split()]


def wait_until_ended(pids: list[int]) -> None:
    """Until none of them is left; who has ended and was not asked about counts as such."""
    end = time.monotonic() + BOUND_S
    while left := [pid for pid in pids if _runs(pid)]:
        assert time.monotonic() < end, left
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Where the mirror is."""
    return tmp_path / "cache"


def fetched(cache: Path) -> Iterator[Path]:
    """The versions in the mirror; each must be whole."""
    for folder in sorted(cache.glob("stores/*/digits/[1-9]*")):
        if read_record(folder) is not None:
            verify_files(read_artifact(folder))
            yield folder


def test_a_server_killed_in_a_download_leaves_a_mirror_that_serves_without_the_store(
    start_server: StartServer, store: FolderServer, model: Path, tmp_path: Path, cache: Path
) -> None:
    """The download ends with its server; the next one serves what is whole, and goes on with it."""
    flags = (*FLAGS, f"--cache-dir={cache}")
    with store.open() as address:
        url = f"{address}/models"
        first = start_server(url, *flags)
        first.wait_ready()
        store.hang_at("variables.index")
        make_version(model / "1", tmp_path, 2).rename(model / "2")
        assert store.hanging.wait(BOUND_S), first.log
        started = processes(first.pid)
        first.kill()
        wait_until_ended(started)
    here = [each.name for each in fetched(cache)]
    second = start_server(url, *flags)
    second.wait_ready()
    with grpc.insecure_channel(second.grpc) as channel:
        asked = Asked(second, channel)
        without = asked.answers(), asked.versions()[2][1], get(second.http, "/readyz")[0]
        store.sent.clear()
        with store.open():
            asked.reach(lambda: asked.answers() == 2)
    again = [each for each in store.sent if each.endswith("/2/assets.extra/golden/0.png")]

    assert (
        ["1"],
        (1, "the store cannot be asked for it now", 200),
        [],
        True,
    ) == (here, without, again, "what was brought here before is served" in second.log)


def test_workers_share_a_mirror(
    start_server: StartServer, store: FolderServer, model: Path, cache: Path
) -> None:
    """Each file is downloaded once, by one of them; both serve."""
    flags = (*FLAGS, f"--cache-dir={cache}", "--workers=2")
    with store.open() as address:
        server = start_server(f"{address}/models", *flags)
        server.wait_ready()
        loaded = read_value(server.http, "saccade_store_looks_total", outcome="ok")
        assert 0 == server.stop(), server.log
    times = Counter(each for each in store.sent if not each.endswith(".json"))

    assert (["1"], {1}, True) == (
        [each.name for each in fetched(cache)],
        set(times.values()),
        loaded >= 2,
    )


def test_a_server_that_is_stopped_in_a_download_ends(
    start_server: StartServer, store: FolderServer, model: Path, cache: Path
) -> None:
    """At once, with nothing left running."""
    with store.open() as address:
        store.hang_at(GRAPH)
        server = start_server(f"{address}/models", *FLAGS, f"--cache-dir={cache}")
        assert store.hanging.wait(BOUND_S), server.log
        started = processes(server.pid)
        server.send(signal.SIGTERM)
        code = server.wait()
        wait_until_ended(started)

    assert (0, []) == (code, list(fetched(cache)))


def test_a_repository_that_is_not_there_is_told(
    start_server: StartServer, store: FolderServer, cache: Path
) -> None:
    """In one line; the exit code is that of wrong settings."""
    with store.open() as address:
        server = start_server(f"{address}/modles", f"--cache-dir={cache}")
        code = server.wait()
    expected = f"saccade-server: the store {address}/modles cannot be asked: FileNotFoundError"

    assert (2, True) == (code, server.log.splitlines()[-1].startswith(expected)), server.log


def test_a_missing_library_is_told(start_server: StartServer, cache: Path) -> None:
    """By the name under which it is installed; nothing is asked of anybody."""
    nothing = cache / "nothing"
    (nothing / "s3fs").mkdir(parents=True)
    (nothing / "s3fs" / "__init__.py").write_text("raise ImportError('not here')")
    path = os.pathsep.join([str(nothing), os.environ.get("PYTHONPATH", "")])
    server = start_server(
        "s3://bucket/models", f"--cache-dir={cache}", environment={"PYTHONPATH": path}
    )

    assert (2, "saccade-server: s3:// needs a package that is not here: install s3fs") == (
        server.wait(),
        server.log.splitlines()[-1],
    )
