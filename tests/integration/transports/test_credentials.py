"""TLS, client certificates and tokens at each transport, with real handshakes."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import grpc
import grpc.aio
import pytest
from google.protobuf.wrappers_pb2 import BytesValue, StringValue

from fixtures.echo import PREFIX, EchoService, make_answerer
from integration.client.servers import Identity, make_identity
from integration.transports.conftest import MAX_MESSAGE_BYTES, OPTIONS
from saccade_server.credentials import Certificates, Tokens
from saccade_server.errors import ConfigError
from saccade_server.services.access import guarded
from saccade_server.services.call import Method
from saccade_server.transports.transport import Transport, make_transport

TIMEOUT_S = 20.0
CALLER = "caller-0123456789"
KEEPER = "keeper-0123456789"

Start = Callable[..., Awaitable[Transport]]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The folder of the server's files."""
    return tmp_path


@pytest.fixture(params=["grpcio", "http2"])
async def start(request: pytest.FixtureRequest) -> AsyncIterator[Start]:
    """Starts each transport in turn, and stops it."""
    started: list[Transport] = []

    async def make(tls: Certificates | None = None, tokens: Tokens | None = None) -> Transport:
        service = EchoService()
        admin = Method(
            api="test", path=f"{PREFIX}RepositoryModelLoad", request=BytesValue, unary=service.say
        )
        started.append(
            make_transport(
                request.param,
                guarded([*service.methods(), admin], tokens),
                make_answerer(),
                address="127.0.0.1:0",
                max_message_bytes=MAX_MESSAGE_BYTES,
                tls=tls,
            )
        )
        await started[-1].start()
        return started[-1]

    yield make
    for each in started:
        await each.stop(0)


def write(folder: Path, identity: Identity) -> tuple[Path, Path]:
    """Puts certificate and key in their places, each at once."""
    for name, content in (("key.pem", identity.key), ("cert.pem", identity.certificate)):
        (folder / "new").write_bytes(content)
        os.replace(folder / "new", folder / name)
    return folder / "cert.pem", folder / "key.pem"


async def say(
    transport: Transport,
    trusted: Identity | None,
    own: Identity | None = None,
    token: str = "",
    method: str = "Say",
) -> bytes:
    """One call over a new connection."""
    target = f"localhost:{transport.port}"
    pair = (own.key, own.certificate) if own else ()
    channel = (
        grpc.aio.secure_channel(
            target, grpc.ssl_channel_credentials(trusted.certificate, *pair), options=OPTIONS
        )
        if trusted
        else grpc.aio.insecure_channel(target, options=OPTIONS)
    )
    async with channel:
        call = channel.unary_unary(
            PREFIX + method, BytesValue.SerializeToString, BytesValue.FromString
        )
        metadata = (("authorization", f"Bearer {token}"),) if token else ()
        answer: BytesValue = await call(
            BytesValue(value=b"words"), timeout=TIMEOUT_S, metadata=metadata
        )
    return answer.value


async def code(*arguments: object, **more: object) -> grpc.StatusCode:
    """Of a call that fails."""
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await say(*arguments, **more)  # type: ignore[arg-type]
    return failed.value.code()


async def test_calls_travel_over_tls_and_no_other_way(start: Start, files: Path) -> None:
    """Without encryption, or for callers who trust somebody else, there is no connection."""
    server = make_identity()
    transport = await start(Certificates(*write(files, server)))

    assert await say(transport, server) == b"words"
    assert await code(transport, None) is grpc.StatusCode.UNAVAILABLE
    assert await code(transport, make_identity()) is grpc.StatusCode.UNAVAILABLE


async def test_mutual_tls_asks_callers_for_a_certificate(start: Start, files: Path) -> None:
    """One that the given authority signed."""
    server, caller = make_identity(), make_identity()
    ca = files / "ca.pem"
    ca.write_bytes(caller.certificate)
    transport = await start(Certificates(*write(files, server), ca))

    assert await say(transport, server, caller) == b"words"
    assert await code(transport, server) is grpc.StatusCode.UNAVAILABLE
    assert await code(transport, server, make_identity()) is grpc.StatusCode.UNAVAILABLE


async def test_a_new_certificate_is_taken_while_calls_go_on(start: Start, files: Path) -> None:
    """New connections get it; those that are open lose no call."""
    old, new = make_identity(), make_identity()
    transport = await start(Certificates(*write(files, old)))
    credentials = grpc.ssl_channel_credentials(old.certificate)
    async with grpc.aio.secure_channel(
        f"localhost:{transport.port}", credentials, options=OPTIONS
    ) as channel:
        call = channel.unary_unary(
            f"{PREFIX}Say", BytesValue.SerializeToString, BytesValue.FromString
        )
        going, answered = True, 0

        async def go_on() -> None:
            nonlocal answered
            while going:
                await call(BytesValue(value=b"words"), timeout=TIMEOUT_S)
                answered += 1

        calls = asyncio.ensure_future(go_on())
        assert await say(transport, old) == b"words"
        write(files, new)
        assert await say(transport, new) == b"words"
        assert await code(transport, old) is grpc.StatusCode.UNAVAILABLE
        going, before = False, answered
        await calls
    assert before > 0


async def test_callers_of_a_new_authority_are_let_in(start: Start, files: Path) -> None:
    """And those of the old one no longer."""
    server, first, second = make_identity(), make_identity(), make_identity()
    ca = files / "ca.pem"
    ca.write_bytes(first.certificate)
    transport = await start(Certificates(*write(files, server), ca))
    assert await say(transport, server, first) == b"words"
    (files / "new").write_bytes(second.certificate)
    os.replace(files / "new", ca)

    assert await say(transport, server, second) == b"words"
    assert await code(transport, server, first) is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("broken", ["half a pair", "no certificate", "gone"])
async def test_a_broken_pair_leaves_the_old_one_in_service(
    start: Start, files: Path, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    """The log says so once; a pair that is whole again is taken."""
    old, new = make_identity(), make_identity()
    certificate, _ = write(files, old)
    transport = await start(Certificates(*write(files, old)))
    assert await say(transport, old) == b"words"
    if broken == "gone":
        certificate.unlink()
    else:
        certificate.write_bytes(new.certificate if broken == "half a pair" else b"nonsense")
    for _ in range(2):
        assert await say(transport, old) == b"words"
    said = [each for each in caplog.records if "the old certificate stays" in each.message]
    write(files, new)

    assert len(said) == 1
    assert await say(transport, new) == b"words"


def test_a_wrong_pair_is_refused_at_the_start(files: Path) -> None:
    """Before anybody connects."""
    certificate, key = write(files, make_identity())
    certificate.write_bytes(make_identity().certificate)

    with pytest.raises(ConfigError, match="--tls-cert"):
        Certificates(certificate, key)


@pytest.fixture
def tokens(files: Path) -> Tokens:
    """Of one who may ask and one who may manage."""
    path = files / "tokens"
    path.write_text(f"{CALLER} predict\n{KEEPER} admin\n")
    path.chmod(0o600)
    return Tokens(path)


async def test_tokens_open_the_methods_of_their_roles(
    start: Start, tokens: Tokens, caplog: pytest.LogCaptureFixture
) -> None:
    """Others are refused, and the log does not tell any token."""
    caplog.set_level("DEBUG")
    transport = await start(tokens=tokens)
    load = "RepositoryModelLoad"

    assert await say(transport, None, token=CALLER) == b"words"
    assert await say(transport, None, token=KEEPER, method=load) == b"words"
    assert await code(transport, None) is grpc.StatusCode.UNAUTHENTICATED
    assert await code(transport, None, token="wrong-0123456789") is grpc.StatusCode.UNAUTHENTICATED
    assert (
        await code(transport, None, token=CALLER, method=load) is grpc.StatusCode.PERMISSION_DENIED
    )
    assert await code(transport, None, token=KEEPER) is grpc.StatusCode.PERMISSION_DENIED
    for secret in (CALLER, KEEPER, "wrong-0123456789", "words"):
        assert secret not in caplog.text


async def test_streams_need_a_token_too(start: Start, tokens: Tokens) -> None:
    """Before anything of them is read."""
    transport = await start(tokens=tokens)
    async with grpc.aio.insecure_channel(f"localhost:{transport.port}", options=OPTIONS) as channel:
        call = channel.unary_stream(
            f"{PREFIX}Split", StringValue.SerializeToString, BytesValue.FromString
        )
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            async for _ in call(StringValue(value="1"), timeout=TIMEOUT_S):
                pass

    assert failed.value.code() is grpc.StatusCode.UNAUTHENTICATED
