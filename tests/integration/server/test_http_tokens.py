"""Tokens over HTTP: the same rules, with HTTP's statuses."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from multidict import CIMultiDict

from fixtures.in_process import InProcessServer
from integration.server.conftest import StartInProcess
from saccade_server.credentials import Tokens
from saccade_server.http import InferenceRoutes, SidePort, TensorFlowServingRoutes
from saccade_server.services.access import guarded

CALLER = {"Authorization": "Bearer caller-0123456789"}
KEEPER = {"Authorization": "Bearer keeper-0123456789"}
WRONG = {"Authorization": "Bearer wrong-0123456789"}
PATHS = ["/v2/models/tiny", "/v1/models/tiny"]

ASKING = [
    ("GET", "/v2"),
    ("GET", "/v2/models/stats"),
    *(
        (verb, f"/v2/models/tiny{version}{rest}")
        for version in ("", "/versions/1")
        for verb, rest in (
            ("GET", ""),
            ("GET", "/config"),
            ("GET", "/stats"),
            ("POST", "/infer"),
        )
    ),
    ("POST", "/v2/repository/index"),
    *(
        (verb, f"/v1/models/tiny{choice}{rest}")
        for choice in ("", "/versions/1", "/labels/stable")
        for verb, rest in (
            ("GET", ""),
            ("GET", "/metadata"),
            ("POST", ":predict"),
            ("POST", ":classify"),
            ("POST", ":regress"),
        )
    ),
]
MANAGING = [("POST", f"/v2/repository/models/tiny/{what}") for what in ("load", "unload")]
PROBING = [
    ("GET", "/v2/health/live"),
    ("GET", "/v2/health/ready"),
    ("GET", "/v2/models/tiny/ready"),
    ("GET", "/v2/models/tiny/versions/1/ready"),
]
ROLES = [
    *((*route, CALLER, KEEPER) for route in ASKING),
    *((*route, KEEPER, CALLER) for route in MANAGING),
]


@pytest.fixture
async def http(
    start_in_process: StartInProcess, tmp_path: Path
) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of an HTTP port that asks for tokens."""
    path = tmp_path / "tokens"
    path.write_text("caller-0123456789 predict\nkeeper-0123456789 admin\n")
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


@pytest.mark.parametrize(("verb", "path", "right", "other"), ROLES)
async def test_every_route_wants_the_token_of_its_role(
    http: aiohttp.ClientSession,
    verb: str,
    path: str,
    right: dict[str, str],
    other: dict[str, str],
) -> None:
    """Without one 401, with one of the other role 403, before the body, here nonsense, is read."""
    seen = []
    for headers in ({}, other, right):
        async with http.request(verb, path, headers=headers, data=b"no JSON") as answered:
            seen.append(answered.status)

    assert [401, 403] == seen[:2]
    assert seen[2] not in (401, 403)


def test_no_route_is_left_out() -> None:
    """A new one needs a line above."""
    shown = {re.sub(r"{([a-z]+)(:[^{}]*({[^}]*})?)?}", _example, path) for path in _api_paths()}

    assert {path for _, path in [*ASKING, *MANAGING, *PROBING]} == shown


def _api_paths() -> set[str]:
    """The paths of all routes but those that refuse what is left."""
    answerer: Any = None
    inference, serving = (
        InferenceRoutes([], answerer),
        TensorFlowServingRoutes([], answerer, answerer),
    )
    routes = [*inference.routes(), *serving.routes()]
    return {each.path for each in routes if each.method != "*"}


def _example(found: re.Match[str]) -> str:
    return {"name": "tiny", "model": "tiny", "version": "1", "label": "stable"}[found[1]]


TRICKS = {
    "in the query": (
        "?authorization=Bearer%20caller-0123456789&access_token=caller-0123456789",
        {},
    ),
    "another scheme": ("", {"Authorization": "Basic caller-0123456789"}),
    "no scheme": ("", {"Authorization": "caller-0123456789"}),
    "a tab": ("", {"Authorization": "Bearer\tcaller-0123456789"}),
    "two in one": ("", {"Authorization": "Bearer caller-0123456789, Bearer caller-0123456789"}),
    "upper case": ("", {"Authorization": "Bearer CALLER-0123456789"}),
    "a letter beyond ASCII": ("", {"Authorization": "Bearer caller-0123456789é"}),
    "a space beyond ASCII": ("", {"Authorization": "Bearer \u00a0caller-0123456789"}),
    "a cookie": ("", {"Cookie": "authorization=caller-0123456789"}),
    "for a proxy": ("", {"Proxy-Authorization": "Bearer caller-0123456789"}),
}


@pytest.mark.parametrize("trick", TRICKS)
async def test_a_token_counts_in_its_place_only(
    http: aiohttp.ClientSession, trick: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As a bearer token in its own header, exactly; the log tells nothing of what was tried."""
    caplog.set_level("DEBUG")
    query, headers = TRICKS[trick]
    async with http.get(f"/v2/models/tiny{query}", headers=headers) as refused:
        assert refused.status == 401
    assert "0123456789" not in caplog.text


async def test_two_headers_are_none(http: aiohttp.ClientSession) -> None:
    """A proxy may have looked at the other one."""
    for first, second in ((CALLER, WRONG), (WRONG, CALLER)):
        headers = CIMultiDict([*first.items(), *second.items()])
        async with http.get("/v2/models/tiny", headers=headers) as refused:
            assert refused.status == 401


async def test_a_huge_header_harms_nobody(http: aiohttp.ClientSession) -> None:
    """It is refused, and the next caller answered."""
    async with http.get("/v2", headers={"Authorization": "Bearer " + "x" * 1_000_000}) as refused:
        assert refused.status in (400, 431)
    async with http.get("/v2", headers=CALLER) as answered:
        assert answered.status == 200


async def test_a_body_is_not_read_for_a_caller_without_a_token(
    http: aiohttp.ClientSession,
) -> None:
    """The answer comes although the body never ends."""
    came = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"{"
        await came.wait()

    async with http.post("/v2/models/tiny/infer", data=body()) as refused:
        came.set()
        assert refused.status == 401


@pytest.mark.parametrize("path", ["/metrics", "/livez", "/readyz", "/v2/health/ready"])
async def test_probes_and_metrics_need_no_token(http: aiohttp.ClientSession, path: str) -> None:
    """Whoever asks them has none."""
    async with http.get(path) as answered:
        assert answered.status == 200
