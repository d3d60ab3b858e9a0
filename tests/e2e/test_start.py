"""How a server starts, or says in one line why it does not."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import StartServer
from fixtures.server_process import ServerProcess
from saccade_server import artifact as layout

PREFIX = "saccade-server: "


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def refusal(server: ServerProcess) -> tuple[int, str]:
    """The exit code, and the one line that says why, without the name of the command."""
    code = server.wait()
    (line,) = [line for line in server.log.splitlines() if line.startswith(PREFIX)]
    assert "Traceback" not in server.log
    return code, line.removeprefix(PREFIX)


@pytest.mark.parametrize("flag", ["--grpc-port", "--http-port"])
def test_a_port_that_is_taken_is_told(
    start_server: StartServer, repository: Path, taken: int, flag: str
) -> None:
    """The line names it; the exit code is that of wrong settings."""
    code, line = refusal(start_server(repository, f"{flag}={taken}"))

    assert (2, True) == (code, str(taken) in line)


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ("--max-batch-images=0", "--max-batch-images must be at least 1, got 0"),
        (
            "--grpc-port=many",
            "--grpc-port (SACCADE_GRPC_PORT) must be a whole number, got 'many'",
        ),
        ("--drain-s=-1", "--drain-s must be at least 0, got -1.0"),
        (
            "--host=0.0.0.0",
            "--host 0.0.0.0 is within reach of others, and nothing would ask who they are: set "
            "--token-file or --tls-cert, or --insecure where a mesh or a network policy guards "
            "the server",
        ),
    ],
)
def test_a_wrong_flag_is_told(
    start_server: StartServer, repository: Path, flag: str, expected: str
) -> None:
    """The line names it and says what is right."""
    assert (2, expected) == refusal(start_server(repository, flag))


def test_others_are_let_in_where_that_is_meant(start_server: StartServer, repository: Path) -> None:
    """On all addresses, with a warning that nobody is asked."""
    server = start_server(repository, "--host=0.0.0.0", "--insecure")
    server.wait_ready()

    assert server.grpc.startswith("0.0.0.0:")
    assert "every caller that can reach the server may use it" in server.log


def test_a_wrong_variable_is_told(start_server: StartServer, repository: Path) -> None:
    """The line names it and says what is right."""
    server = start_server(repository, environment={"SACCADE_MAX_MESSAGE_MB": "4096"})

    code, line = refusal(server)
    assert (2, True) == (code, line.startswith("--max-message-mb must be "))


@pytest.mark.parametrize("flag", ["--batch=3", "--max-batch=3"], ids=["unknown", "shortened"])
def test_an_unknown_flag_is_told(start_server: StartServer, repository: Path, flag: str) -> None:
    """By the usual means of a command line; flags cannot be shortened."""
    server = start_server(repository, flag)

    assert (2, True) == (server.wait(), flag in server.log)


def test_a_repository_that_is_not_there_is_told(start_server: StartServer, tmp_path: Path) -> None:
    """The line names the folder and the flag."""
    nowhere = tmp_path / "nowhere"
    expected = f"the model repository {nowhere} is no folder: set --model-repository"

    assert (2, expected) == refusal(start_server(nowhere))


def test_an_empty_repository_is_told(start_server: StartServer, tmp_path: Path) -> None:
    """The line says how to fill it."""
    empty = tmp_path / "empty"
    empty.mkdir()
    code, line = refusal(start_server(empty))

    assert (2, True, True) == (code, str(empty) in line, "saccade-models train" in line)


def change_golden_sample(version: Path) -> None:
    """Puts another picture in the place of one whose answer is known, with its checksum."""
    golden = version / "assets.extra" / "golden"
    shutil.copy(golden / "0.png", golden / "1.png")
    layout.write_manifest(version, layout.read_artifact(version).manifest)


def test_a_model_that_gives_other_answers_does_not_serve(
    start_server: StartServer, artifact: Path, tmp_path: Path
) -> None:
    """Its golden samples tell; as it is the only one, the server does not start."""
    version = tmp_path / "repository" / "digits" / "1"
    shutil.copytree(artifact, version)
    change_golden_sample(version)
    server = start_server(tmp_path / "repository", "--engine=litert")

    assert (2, True) == (server.wait(), "gives other answers for the golden samples" in server.log)
