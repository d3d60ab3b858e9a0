"""Requests over HTTP that are wrong in every way: the answers say whose fault it is."""

import http.client
import json
import socket
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import StartServer
from fixtures.every_method import NUMBERS, TEXTS
from fixtures.hostile_images import seeds
from fixtures.http import get
from fixtures.mutations import at_random, mutate, numbers, told_apart
from fixtures.processes import peak_kb
from fixtures.real_requests import real_json
from fixtures.server_process import ServerProcess

SHORT, FULL = 150, 6_000
BOUND_S = 30.0
BOUND_KB = 600_000

MODEL = "/v2/models/digits"
SERVED = "/v1/models/digits"
PATHS = (
    *(MODEL, f"{MODEL}/infer", f"{MODEL}/ready", f"{MODEL}/versions/1/infer", f"{MODEL}/config"),
    *(f"{SERVED}:predict", f"{SERVED}:classify", f"{SERVED}:regress", f"{SERVED}/versions/1"),
    *(f"{SERVED}/versions/1:predict", f"{SERVED}/labels/x:predict", f"{SERVED}/metadata"),
    *("/v2", "/v2/repository/index", "/v2/repository/models/digits/load", "/metrics", "/"),
    *("/v2/models/..%2f..%2fetc%2fpasswd/infer", "/v1/models/%00:predict", "/v2/models/%ff/ready"),
)
NAMES = (
    *("inputs", "instances", "examples", "outputs", "parameters", "name", "datatype", "shape"),
    *("data", "id", "b64", "images", "signature_name", "context", "binary_data_size", "\ud800"),
)

SAID = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from((*NUMBERS, 0.5, 1e300, float("nan"), float("inf"), 10**400))
    | st.sampled_from((*TEXTS, "\ud800")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=12,
)
"""JSON of the names that mean something, with values that make little sense."""

BODIES = (
    st.builds(mutate, st.sampled_from(real_json(seeds()["PNG"])), numbers)
    | st.dictionaries(st.sampled_from(NAMES), SAID, max_size=4).map(
        lambda x: json.dumps(x).encode()
    )
    | st.binary(max_size=60)
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ("Content-Encoding", "Inference-Header-Content-Length", "Content-Type", "X-Request-Id")
    ),
    st.sampled_from(("gzip", "deflate", "br", "identity", "0", "17", "9" * 5000, "-1", "\xb2", "")),
    max_size=1,
)


class Caller:
    """Sends requests over a connection that it keeps, and counts how they were answered."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self.statuses: Counter[int] = Counter()
        self.wrong: list[str] = []
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
        """Asks; takes note of an answer that should not be."""
        connection = self._connection or http.client.HTTPConnection(
            self.server.http, timeout=BOUND_S
        )
        self._connection = connection
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            response.read()
            status = response.status
        except (ConnectionError, http.client.BadStatusLine):
            # Where the head was no HTTP the connection is closed.
            status = 0
        if not status or response.will_close:
            connection.close()
            self._connection = None
        self.statuses[status] += 1
        # 501 says that loading takes no parameters.
        if status >= 500 and status != http.HTTPStatus.NOT_IMPLEMENTED:
            self.wrong.append(f"{status} for {method} {path} {headers} {body!r}"[:2000])

    def close(self) -> None:
        """Closes the connection."""
        if self._connection is not None:
            self._connection.close()


@pytest.fixture
def caller(start_server: StartServer, repository: Any) -> Iterator[Caller]:
    """A caller of a server that lets callers change its models."""
    server = start_server(
        repository, "--engine=litert", "--model-control=explicit", "--max-image-pixels=1000000"
    )
    server.wait_ready()
    caller = Caller(server)
    yield caller
    caller.close()


@pytest.mark.timeout(1200)
def test_no_request_over_http_does_harm(caller: Caller, full: bool) -> None:
    """Bodies that are damaged, JSON of nonsense, headers that do not fit."""

    @given(
        method=st.sampled_from(("POST", "POST", "POST", "GET", "PUT")),
        path=st.sampled_from(PATHS),
        body=BODIES,
        headers=HEADERS,
    )
    def ask(method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
        caller.ask(method, path, body, headers)

    at_random(ask, FULL if full else SHORT)

    check(caller)
    assert caller.statuses[400] > 0


@pytest.mark.timeout(1200)
def test_what_is_no_http_does_no_harm(caller: Caller, full: bool) -> None:
    """Requests whose heads are damaged, as bytes on a connection."""
    body = real_json(seeds()["PNG"])[2]
    head = (
        f"POST {SERVED}:predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\nAccept: */*\r\n\r\n"
    ).encode()
    chunked = (
        f"POST {SERVED}:predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        f"Connection: close\r\n\r\n{len(body):x}\r\n"
    ).encode()
    whole = (head + body, chunked + body + b"\r\n0\r\n\r\n")

    def send(number: int) -> None:
        request = whole[number % len(whole)]
        # Mostly the head: it is a small part of the whole.
        changed = mutate(request[:200], number) + request[200:]
        host, _, port = caller.server.http.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=BOUND_S) as connection:
            try:
                connection.sendall(changed)
                connection.shutdown(socket.SHUT_WR)
                answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))
            except ConnectionError:
                return
        if b" 500 " in answer[:20]:
            caller.wrong.append(f"{answer[:200]!r} for {changed[:300]!r}")

    for number in range((FULL if full else SHORT) // 3):
        with told_apart(number):
            send(number)

    check(caller)


def check(caller: Caller) -> None:
    """Nothing was the server's fault; it is as it was, and its log is calm."""
    assert ([], (200, "ok\n"), True) == (
        caller.wrong,
        get(caller.server.http, "/livez"),
        peak_kb(caller.server.pid) < BOUND_KB,
    )
    assert "Traceback" not in caller.server.log, caller.server.log[-4000:]
