"""Tokens over HTTP: the same rules, with HTTP's statuses."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from fixtures.in_process import InProcessServer
from integration.server.conftest import StartInProcess
from saccade_server.credentials import Tokens
from saccade_server.http import InferenceRoutes, SidePort, TensorFlowServingRoutes
from saccade_server.services.access import guarded

CALLER = {"Authorization": "Bearer caller-0123456789"}
WRONG = {"Authorization": "Bearer wrong-0123456789"}
PATHS = ["/v2/models/tiny", "/v1/models/tiny"]


@pytest.fixture
async def http(
    start_in_process: StartInProcess, tmp_path: Path
) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of an HTTP port that asks for tokens."""
    path = tmp_path / "tokens"
    path.write_text("caller-0123456789 predict\n")
    path.chmod(0o600)
    port = make_port(await start_in_process(may_change_models=True), Tokens(path))
    await port.start()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port.port}") as session:
        yield session
    await port.stop()


def make_port(server: InProcessServer, tokens: Tokens) -> SidePort:
    """The HTTP port of a server in this process."""

    async def collect() -> Any:
        return server.metrics.registry

    inference = guarded(server.inference.methods(), tokens)
    serving = guarded(server.tensorflow_serving, tokens)
    return SidePort(
        collect,
        lambda: server.health.ready,
        host="127.0.0.1",
        port=0,
        routes=[
            *InferenceRoutes(inference, server.answerer).routes(),
            *TensorFlowServingRoutes(serving, server.answerer, server.prediction.input_of).routes(),
        ],
    )


@pytest.mark.parametrize("path", PATHS)
async def test_a_token_is_asked_for(http: aiohttp.ClientSession, path: str) -> None:
    """401 says how; the right one opens."""
    for headers in ({}, WRONG):
        async with http.get(path, headers=headers) as refused:
            assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
    async with http.get(path, headers=CALLER) as answered:
        assert answered.status == 200


async def test_a_token_of_another_role_is_forbidden(http: aiohttp.ClientSession) -> None:
    """403: another token would be needed."""
    load = "/v2/repository/models/tiny/load"
    async with http.post(load, headers=CALLER, json={}) as refused:
        assert refused.status == 403


@pytest.mark.parametrize("path", ["/metrics", "/livez", "/readyz", "/v2/health/ready"])
async def test_probes_and_metrics_need_no_token(http: aiohttp.ClientSession, path: str) -> None:
    """Whoever asks them has none."""
    async with http.get(path) as answered:
        assert answered.status == 200
