"""The fields of a request's head: what they mean to the transport, the log and a trace."""

from contextlib import AbstractContextManager, nullcontext, suppress

from fixtures.echo import PREFIX, EchoService
from fixtures.http2_peer import head
from saccade_server.services.call import MAX_REQUEST_ID_BYTES, Call, Method
from saccade_server.tracing import read_trace_context
from saccade_server.transports.http2.head import MalformedRequest, read_head, read_trailers

from ..catalogue import Check
from ..records import cut, join

_METHODS: dict[str, Method] = {method.path: method for method in EchoService().methods()}


def seeds() -> list[bytes]:
    """Heads of requests with all that callers may say."""
    return [
        _written(
            head("Say", ("grpc-timeout", "1S"), ("content-length", "5"), ("x-request-id", "a-1"))
        ),
        _written(head("Chat", ("grpc-encoding", "gzip"), ("x-bin", "AAE="), ("cookie", "a=b"))),
        _written(
            head("Say", ("traceparent", f"00-{'1' * 32}-{'2' * 16}-01"), ("grpc-timeout", "9999m"))
        ),
        _written([*head("Nothing"), ("a", "1"), ("a", "2")]),
        _written([(":method", "GET"), (":path", f"{PREFIX}Say"), (":scheme", "http")]),
    ]


def opened() -> AbstractContextManager[Check]:
    """See `Target`."""
    return nullcontext(check)


def check(data: bytes) -> None:
    """A head is malformed, or says one thing, with metadata that may go to a log and a handler."""
    parts = [part.decode("latin-1") for part in cut(data)]
    fields = list(zip(parts[::2], parts[1::2], strict=False))
    with suppress(MalformedRequest):
        read_trailers(fields)
    try:
        found = read_head(fields, _METHODS)
    except MalformedRequest:
        return
    said = [found.method is not None, found.refusal is not None, found.http_status != 200]

    assert 1 == sum(said), found
    assert found.timeout_s is None or found.timeout_s >= 0, found
    for name, value in found.metadata.items():
        assert not name.endswith("-bin"), found
        assert name == name.lower().lstrip(":"), found
        assert not any(octet in name + value for octet in "\r\n\0"), found
    known = Call(metadata=found.metadata).known_id
    assert known.isprintable(), known
    assert 0 < len(known) <= MAX_REQUEST_ID_BYTES, known
    context = read_trace_context(found.metadata)
    assert context is None or int(context.trace_id, 16), context


def _written(fields: list[tuple[str, str]]) -> bytes:
    return join(text.encode("latin-1") for field in fields for text in field)
