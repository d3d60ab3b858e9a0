"""gRPC's own layer: what a request's body and headers may hold, and what each caller is told."""

import gzip
import zlib

import pytest

from fixtures.http2_peer import MAX_MESSAGE_BYTES, Headers, Peer, data, head, message, said
from saccade_server.errors import Code
from saccade_server.transports.http2 import frames

GZIP = ("grpc-encoding", "gzip")
VALUE = said(b"x")[5:]


async def ask(body: bytes, headers: Headers) -> tuple[bytes, dict[str, str]]:
    """The answer to a request whose body may be longer than a frame."""
    peer = Peer()
    peer.send(peer.headers(1, headers))
    while len(body) > 16384:
        peer.send(data(1, body[:16384]))
        body = body[16384:]
    peer.send(data(1, body, ended=True))
    headers_and_body = await peer.answer(1)
    while "grpc-status" not in headers_and_body[1] and not peer.transport.aborted:
        headers_and_body = await peer.answer(1)
    return headers_and_body


FAILURES = {
    "no message": (b"", head(), Code.UNIMPLEMENTED),
    "two messages": (said(b"x") * 2, head(), Code.UNIMPLEMENTED),
    "a message and a half": (said(b"x") + b"\0", head(), Code.UNIMPLEMENTED),
    "half a message": (said(b"x")[:-1], head(), Code.INTERNAL),
    "half a prefix": (b"\0\0", head(), Code.INTERNAL),
    "half a message of a stream": (said(b"x")[:-1], head("Join"), Code.INTERNAL),
    "an unknown flag": (b"\x02" + said(b"x")[1:], head(), Code.INTERNAL),
    "a message that is too large": (
        b"\0" + (MAX_MESSAGE_BYTES + 1).to_bytes(4, "big"),
        head(),
        Code.RESOURCE_EXHAUSTED,
    ),
    "the second message of a stream is too large": (
        said(b"x") + b"\0\xff\xff\xff\xff",
        head("Join"),
        Code.RESOURCE_EXHAUSTED,
    ),
    "compression without an encoding": (message(VALUE, flag=1), head(), Code.INTERNAL),
    "compression without an encoding in a stream": (
        message(VALUE, flag=1),
        head("Chat"),
        Code.INTERNAL,
    ),
    "an encoding that we lack": (
        message(VALUE, flag=1),
        head("Say", ("grpc-encoding", "br")),
        Code.UNIMPLEMENTED,
    ),
    "what is not gzip": (message(VALUE, flag=1), head("Say", GZIP), Code.INTERNAL),
    "half a gzip": (
        message(gzip.compress(VALUE)[:-3], flag=1),
        head("Say", GZIP),
        Code.INTERNAL,
    ),
    "more than a gzip": (
        message(gzip.compress(VALUE) + b"more", flag=1),
        head("Say", GZIP),
        Code.INTERNAL,
    ),
    "a gzip bomb": (
        message(gzip.compress(bytes(1 << 24)), flag=1),
        head("Say", GZIP),
        Code.RESOURCE_EXHAUSTED,
    ),
    "a timeout that is none": (
        said(b"x"),
        head("Say", ("grpc-timeout", "soon")),
        Code.INVALID_ARGUMENT,
    ),
    "a method that there is not": (said(b"x"), head("Sing"), Code.UNIMPLEMENTED),
}


@pytest.mark.parametrize(("body", "headers", "code"), FAILURES.values(), ids=list(FAILURES))
async def test_each_failure_has_its_code(body: bytes, headers: Headers, code: Code) -> None:
    """As gRPC's documentation of status codes has it."""
    _, answer = await ask(body, headers)

    assert str(int(code)) == answer["grpc-status"]


GOOD = {
    "identity": (said(b"x"), head("Say", ("grpc-encoding", "identity"))),
    "gzip": (message(gzip.compress(VALUE), flag=1), head("Say", GZIP)),
    "deflate": (
        message(zlib.compress(VALUE), flag=1),
        head("Say", ("grpc-encoding", "deflate")),
    ),
    "gzip announced and not used": (said(b"x"), head("Say", GZIP)),
    "a body as long as it says": (
        said(b"x"),
        head("Say", ("content-length", str(len(said(b"x"))))),
    ),
    "the longest of all timeouts": (said(b"x"), head("Say", ("grpc-timeout", "99999999H"))),
}


@pytest.mark.parametrize(("body", "headers"), GOOD.values(), ids=list(GOOD))
async def test_a_good_request_is_answered(body: bytes, headers: Headers) -> None:
    """Whatever it is wrapped in."""
    answer, trailers = await ask(body, headers)

    assert (said(b"x"), "0") == (answer, trailers["grpc-status"])


async def test_an_answer_says_which_encodings_are_understood() -> None:
    """A refusal too: its caller can choose another one."""
    for headers in (head(), head("Say", ("grpc-encoding", "br"))):
        _, answer = await ask(said(b"x"), headers)

        assert "identity,deflate,gzip" == answer["grpc-accept-encoding"]


NOT_GRPC = [(":method", "GET", "405"), ("content-type", "text/html", "415")]


@pytest.mark.parametrize(("name", "value", "status"), NOT_GRPC)
async def test_who_speaks_no_grpc_gets_an_http_status(name: str, value: str, status: str) -> None:
    """And no half of a gRPC answer."""
    body, answer = await ask(b"", head("Say", (name, value)))

    assert (b"", status) == (body, answer[":status"])


async def test_headers_that_are_too_large_are_refused_and_the_connection_goes_on() -> None:
    """They were decoded, so both tables still agree."""
    peer = Peer()
    block = peer.block(head("Say", *[(f"name-{x}", f"{x}" * 50) for x in range(200)]))
    parts = [block[i : i + 16000] for i in range(0, len(block), 16000)]

    peer.send(frames.frame(frames.HEADERS, 0, 1, parts[0]))
    for part in parts[1:]:
        peer.send(frames.frame(frames.CONTINUATION, 0, 1, part))
    peer.send(frames.frame(frames.CONTINUATION, frames.END_HEADERS, 1))
    _, answer = await peer.answer(1)
    peer.send(peer.headers(3, head("Say", ("name-199", "199" * 50))))
    peer.send(data(3, said(b"x"), ended=True))
    await peer.answer(3)

    assert "8" == answer["grpc-status"]
    assert "199" * 50 == peer.service.calls[0].metadata["name-199"]


async def test_a_handler_that_somebody_else_cancels_leaves_no_caller_waiting() -> None:
    """Its caller is told to go elsewhere."""
    peer = Peer()
    peer.send(peer.request(1, said(b"x"), "Hold"))
    await peer.service.held.wait()

    for task in peer.connection.streams.tasks:
        task.cancel()

    assert "14" == (await peer.answer(1))[1]["grpc-status"]
