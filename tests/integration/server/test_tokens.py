"""Tokens over gRPC: every method, and what an attacker may try, by each transport."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from fixtures.in_process import InProcessServer
from integration.server.conftest import StartInProcess
from saccade_server.credentials import Tokens
from saccade_server.services.call import Method

CALLER = "caller-0123456789"
KEEPER = "keeper-0123456789"
LIST = "/saccade.v1.ImageClassifier/ListModels"

ADMIN = {
    "/inference.GRPCInferenceService/RepositoryModelLoad",
    "/inference.GRPCInferenceService/RepositoryModelUnload",
    "/tensorflow.serving.ModelService/HandleReloadConfigRequest",
}
OPEN = {
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/inference.GRPCInferenceService/ModelReady",
    "/inference.GRPCInferenceService/ServerLive",
    "/inference.GRPCInferenceService/ServerReady",
}

Metadata = Sequence[tuple[str, str | bytes]]


@pytest.fixture
async def server(start_in_process: StartInProcess, tmp_path: Path) -> InProcessServer:
    """A server that asks for tokens."""
    path = tmp_path / "tokens"
    path.write_text(f"{CALLER} predict\n{KEEPER} admin\n")
    path.chmod(0o600)
    return await start_in_process(may_change_models=True, tokens=Tokens(path))


@pytest.fixture
async def channel(server: InProcessServer) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to it, which sends what it is given."""
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield channel


async def code_of(
    channel: grpc.aio.Channel, path: str, metadata: Metadata = (), *, streams: bool = False
) -> str:
    """How a call ends whose message is no message; streams count as their first answer."""
    try:
        if streams:
            chat: Any = channel.unary_stream(path)
            await anext(aiter(chat(b"\xff", metadata=metadata, timeout=20)))
        else:
            ask: Any = channel.unary_unary(path)
            await ask(b"\xff", metadata=metadata, timeout=20)
    except grpc.RpcError as error:
        return str(error.code().name)
    return "OK"


def bearer(token: str) -> Metadata:
    return (("authorization", f"Bearer {token}"),)


async def test_every_method_wants_the_token_of_its_role(
    server: InProcessServer, channel: grpc.aio.Channel
) -> None:
    """Others are refused before anything is parsed: what is sent is no message."""
    expected, seen = {}, {}
    for method in server.methods:
        right, other = (KEEPER, CALLER) if method.path in ADMIN else (CALLER, KEEPER)
        codes = ["UNAUTHENTICATED", "UNAUTHENTICATED", "PERMISSION_DENIED", "INVALID_ARGUMENT"]
        expected[method.path] = ["INVALID_ARGUMENT"] * 4 if method.path in OPEN else codes
        tries = [(), bearer("wrong-0123456789"), bearer(other), bearer(right)]
        seen[method.path] = [
            await code_of(channel, method.path, each, streams=_streams(method)) for each in tries
        ]

    assert expected == seen
    assert seen.keys() > ADMIN | OPEN


def _streams(method: Method) -> bool:
    return method.unary is None


TRICKS: dict[str, Metadata] = {
    "another scheme": (("authorization", f"Basic {CALLER}"),),
    "no scheme": (("authorization", CALLER),),
    "no token": (("authorization", "Bearer "),),
    "two in one": (("authorization", f"Bearer {CALLER}, Bearer {CALLER}"),),
    "right, then wrong": (*bearer(CALLER), *bearer("wrong-0123456789")),
    "wrong, then right": (*bearer("wrong-0123456789"), *bearer(CALLER)),
    "right twice": (*bearer(CALLER), *bearer(CALLER)),
    "upper case": bearer(CALLER.upper()),
    "cut off": bearer(CALLER[:-1]),
    "longer": bearer(CALLER + "0"),
    "another name": (("x-authorization", f"Bearer {CALLER}"),),
    "bytes": (("authorization-bin", f"Bearer {CALLER}".encode()),),
}


@pytest.mark.parametrize("trick", TRICKS)
async def test_a_token_counts_in_its_place_only(
    channel: grpc.aio.Channel, trick: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Once, exactly, as a bearer token; the log tells nothing of what was tried."""
    caplog.set_level("DEBUG")
    assert "UNAUTHENTICATED" == await code_of(channel, LIST, TRICKS[trick])
    assert "0123456789" not in caplog.text


@pytest.mark.parametrize("text", [f"bearer {CALLER}", f"BEARER {CALLER}", f"Bearer  {CALLER} "])
async def test_the_scheme_may_be_written_in_any_case(channel: grpc.aio.Channel, text: str) -> None:
    """As RFC 9110 has it; spaces around the token do no harm. The message is none."""
    assert "INVALID_ARGUMENT" == await code_of(channel, LIST, (("authorization", text),))


async def test_huge_metadata_harms_nobody(server: InProcessServer) -> None:
    """They are refused, and the next caller is answered."""
    async with grpc.aio.insecure_channel(server.address) as attacker:
        for _ in range(3):
            huge = bearer("x" * 1_000_000)
            assert "OK" != await code_of(attacker, LIST, huge)
    async with grpc.aio.insecure_channel(server.address) as channel:
        assert "INVALID_ARGUMENT" == await code_of(channel, LIST, bearer(CALLER))
