"""Where a client's token goes, and where it does not."""

import asyncio
import os
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

import saccade
from integration.client.conftest import Connect
from integration.client.servers import EchoClassifier, serve
from saccade import ClientOptions, StreamRequest
from saccade.__main__ import main

REQUEST = StreamRequest(images=b"a", request_id="a")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A token file."""
    path = tmp_path / "token"
    path.write_text("old-token\n")
    return path


def replace(path: Path, token: str) -> None:
    """Puts a new file in the place of the old one, at once."""
    other = path.with_name("new")
    other.write_text(token)
    os.replace(other, path)


async def test_a_new_token_is_taken_while_the_client_lives(
    connect: Connect, server: str, classifier: EchoClassifier, path: Path
) -> None:
    """The server takes the new one only; the client was made with the old one."""
    classifier.token = "old-token"
    asking = connect(server, ClientOptions(token_file=path))
    before = await asking.classify(b"a")
    classifier.token = "new-token"
    with pytest.raises(saccade.Unauthenticated):
        await asking.classify(b"a")
    replace(path, "new-token")

    assert (1, 1) == (len(before), len(await asking.classify(b"a")))


def test_a_blocking_stream_begins_with_the_newest_token(
    server: str, classifier: EchoClassifier, path: Path
) -> None:
    """Not with the one that was read when the client was made."""
    classifier.token = "new-token"
    with saccade.Client(server, ClientOptions(token_file=path)) as client:
        replace(path, "new-token")
        answers = [answer.result() for answer in client.classify_stream([REQUEST])]

    assert 1 == len(answers)


async def test_an_async_stream_begins_with_the_newest_token(
    server: str, classifier: EchoClassifier, path: Path
) -> None:
    """Not with the one that was read when the client was made."""

    async def requests() -> AsyncIterator[StreamRequest]:
        yield REQUEST

    classifier.token = "new-token"
    async with saccade.AsyncClient(server, ClientOptions(token_file=path)) as client:
        replace(path, "new-token")
        answers = [answer.result() async for answer in client.classify_stream(requests())]

    assert 1 == len(answers)


async def test_no_client_of_another_machine_is_made_in_the_clear(connect: Connect) -> None:
    """Before anything is sent, and even before a name is looked up."""
    with pytest.raises(saccade.InputError, match="could read the token"):
        connect("serving.example:8500", ClientOptions(token="t0p"))


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """What an HTTP proxy gets to hear that the environment asks for; it refuses everything."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    heard.append(connection.recv(1 << 16))
                    connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=refuse)
        thread.start()
        for name in ("no_proxy", "no_grpc_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{listener.getsockname()[1]}")
        yield heard
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


async def test_no_proxy_sees_a_token_for_this_machine(
    connect: Connect, proxy: list[bytes], classifier: EchoClassifier
) -> None:
    """Its way to localhost would end at another machine; without a token it is the caller's way."""
    classifier.token = "t0p"
    with serve(classifier) as address:
        answered = await connect(address, ClientOptions(token="t0p")).classify(b"a")
        heard = len(proxy)
        with pytest.raises(saccade.SaccadeError):
            await connect(address, ClientOptions(timeout_s=5)).classify(b"a")

    assert (1, 0, True) == (len(answered), heard, len(proxy) > 0)


def test_the_command_takes_the_token_from_a_file(
    server: str, classifier: EchoClassifier, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which goes before the environment."""
    classifier.token = "old-token"
    monkeypatch.setenv("SACCADE_TOKEN", "another-token")

    assert 0 == main(["models", "--server", server, "--token-file", str(path)])


def test_the_command_tells_no_token(
    server: str, classifier: EchoClassifier, path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither when the server refuses it nor when it may not be sent."""
    classifier.token = "another-token"
    codes = [
        main(["models", "--server", where, "--token-file", str(path)])
        for where in (server, "serving.example:8500")
    ]
    told = capfd.readouterr()

    assert ([3, 2], False) == (codes, "old-token" in told.out + told.err)


async def test_an_error_tells_no_token(connect: Connect, classifier: EchoClassifier) -> None:
    """Nor does its cause, gRPC's own error."""
    classifier.token = "another-token"
    with serve(classifier) as address:
        with pytest.raises(saccade.Unauthenticated) as refused:
            await asyncio.wait_for(
                connect(address, ClientOptions(token="t0p-secret")).classify(b"a"), 20
            )
        told = repr(refused.value) + str(refused.value) + repr(refused.value.__cause__)

    assert "t0p-secret" not in told
