"""The log of a server process, as machines read it."""

import json
import re
import socket
from pathlib import Path
from typing import Any

import grpc
import pytest

from conftest import StartServer
from fixtures.http import post
from fixtures.server_process import ServerProcess
from saccade.v1 import classifier_pb2 as pb
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub

CALLS = 100
NOBODY = pb.ModelSpec(name="nobody")
TRACE = f"{7:032x}"


def lines(server: ServerProcess) -> list[dict[str, Any]]:
    """All that it has written to standard error; fails where that is not JSON."""
    return [json.loads(line) for line in server.log.splitlines()]


def ask(stub: ImageClassifierStub, request: pb.ClassifyRequest, *metadata: tuple[str, str]) -> None:
    """One request that fails."""
    with pytest.raises(grpc.RpcError):
        stub.Classify(request, timeout=20, metadata=metadata)


def send(address: str, data: bytes) -> None:
    """Bytes to a port, which closes the connection on them."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(data)
        while connection.recv(1 << 16):
            pass


@pytest.mark.parametrize("transport", ["grpcio", "http2"])
def test_every_line_is_an_object_and_failed_requests_are_told(
    start_server: StartServer, repository: Path, transport: str
) -> None:
    """From the start to the end, those of libraries too; of a flood the first, and a number."""
    flags = ("--log-format=json", "--log-level=debug", f"--transport={transport}")
    server = start_server(repository, *flags)
    server.wait_ready()
    for address in (server.grpc, server.http):
        send(address, b"\x00\xff no request\r\n\r\n")
    trace = ("traceparent", f"00-{TRACE}-{8:016x}-01")
    with grpc.insecure_channel(server.grpc) as channel:
        stub = ImageClassifierStub(channel)
        ask(stub, pb.ClassifyRequest(model=NOBODY, request_id="order 66"), trace)
        ask(stub, pb.ClassifyRequest(model=NOBODY), ("x-request-id", "of a proxy"))
        for number in range(CALLS):
            ask(stub, pb.ClassifyRequest(model=NOBODY, request_id=f"flood-{number}"))
    status, _ = post(server.http, "/v2/models/digits/infer", b"\xff", {"x-request-id": "by HTTP"})
    assert (400, 0) == (status, server.stop())
    told = lines(server)
    of = {each["request_id"]: each for each in told if "request_id" in each}
    left_out = sum(each.get("left_out", 0) for each in told)
    shown = sum(name.startswith("flood") for name in of)

    first = of["order 66"]
    assert (first["code"], first["model"], first["trace_id"]) == ("NOT_FOUND", "", TRACE)
    assert (first["level"], first["method"]) == ("info", "/saccade.v1.ImageClassifier/Classify")
    assert "127.0.0.1" in first["peer"] or "::1" in first["peer"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", first["time"])
    assert {"of a proxy", "by HTTP"} <= of.keys()
    assert 0 < left_out == CALLS - shown


def test_workers_and_their_parent_write_objects(
    start_server: StartServer, repository: Path
) -> None:
    """Into one file, without mixing."""
    server = start_server(repository, "--log-format=json", "--workers=2", "--transport=http2")
    server.wait_ready()
    assert 0 == server.stop()

    assert 3 == len({each["pid"] for each in lines(server)})


def test_a_server_that_does_not_start_says_so_in_the_same_form(
    start_server: StartServer, tmp_path: Path
) -> None:
    """As its last line."""
    server = start_server(tmp_path / "nowhere", "--log-format=json")
    code, last = server.wait(), lines(server)[-1]

    assert (2, "critical", True) == (code, last["level"], "nowhere" in last["message"])
