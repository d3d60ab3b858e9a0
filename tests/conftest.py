"""What all tests share: a real artifact, and real server processes."""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from fixtures.server_process import ServerProcess


class StartServer(Protocol):
    """See `start_server`."""

    def __call__(
        self, repository: Path | str, *flags: str, environment: dict[str, str] | None = None
    ) -> ServerProcess: ...


def pytest_collection_finish() -> None:
    """Takes what was imported, most of it TensorFlow, out of all collections of garbage.

    Whatever collects on purpose, as each conversion for LiteRT does, would go through them again.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a version: the small CNN, trained for a moment. Not to be changed: copy it."""
    from fixtures.artifacts import make_digits_artifact

    return make_digits_artifact(tmp_path_factory.mktemp("repository"))


@pytest.fixture(scope="session")
def repository(artifact: Path) -> Path:
    """A model repository with that artifact as version 1 of `digits`. Not to be changed."""
    return artifact.parent.parent


@pytest.fixture(scope="session")
def server(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of that repository, ready, shared by all tests; it must end with 0."""
    process = ServerProcess(repository, log=tmp_path_factory.mktemp("server") / "log")
    try:
        process.wait_ready()
        yield process
        assert 0 == process.stop(), process.log
    finally:
        process.kill()


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[StartServer]:
    """Starts servers of a test's own: (repository, flags..., environment=...); does not wait.

    Those that the test leaves running must end with 0.
    """
    processes: list[ServerProcess] = []

    def start(
        repository: Path | str, *flags: str, environment: dict[str, str] | None = None
    ) -> ServerProcess:
        log = tmp_path / f"server-{len(processes)}.log"
        processes.append(ServerProcess(repository, *flags, environment=environment, log=log))
        return processes[-1]

    try:
        yield start
        for process in processes:
            if process.running:
                assert 0 == process.stop(), process.log
    finally:
        for process in processes:
            process.kill()
