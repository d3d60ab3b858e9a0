"""The span that is current where a client is called goes with the call."""

import re
from collections.abc import AsyncIterator

import grpc
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState

import saccade
from integration.client.conftest import Connect
from integration.client.servers import EchoClassifier
from saccade import ClientOptions, StreamRequest

REQUEST = StreamRequest(images=b"a", request_id="a")


@pytest.fixture
def sent(classifier: EchoClassifier, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """The metadata of each call that the server has had."""
    metadata: list[dict[str, str]] = []
    check = classifier._check

    def note(context: grpc.ServicerContext) -> None:
        metadata.append({key: str(value) for key, value in context.invocation_metadata()})
        check(context)

    monkeypatch.setattr(classifier, "_check", note)
    return metadata


def header(span: trace.Span) -> str:
    """A span as W3C's traceparent has it."""
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-0{int(context.trace_flags)}"


@pytest.mark.parametrize("sampler", [ALWAYS_ON, ALWAYS_OFF], ids=["sampled", "not sampled"])
async def test_a_call_names_the_current_span(
    connect: Connect, server: str, sent: list[dict[str, str]], sampler: object
) -> None:
    """With the caller's choice on sampling."""
    tracer = TracerProvider(sampler=sampler).get_tracer("test")  # type: ignore[arg-type]
    with tracer.start_as_current_span("asking") as span:
        await connect(server).classify(b"a")

    assert [header(span)] == [each["traceparent"] for each in sent]


async def test_all_requests_of_a_split_list_name_it(
    connect: Connect, server: str, sent: list[dict[str, str]]
) -> None:
    """They run in threads, or tasks, of their own."""
    tracer = TracerProvider().get_tracer("test")
    options = ClientOptions(max_request_images=1)
    with tracer.start_as_current_span("asking") as span:
        await connect(server, options).classify([b"a", b"b", b"c"])

    assert [header(span)] * 3 == [each["traceparent"] for each in sent]


def test_a_blocking_stream_names_it(server: str, sent: list[dict[str, str]]) -> None:
    """As of where the answers are waited for."""
    tracer = TracerProvider().get_tracer("test")
    with tracer.start_as_current_span("asking") as span, saccade.Client(server) as client:
        assert 1 == len(list(client.classify_stream([REQUEST])))

    assert [header(span)] == [each["traceparent"] for each in sent]


async def test_an_async_stream_names_it(server: str, sent: list[dict[str, str]]) -> None:
    """As of where the answers are waited for."""

    async def requests() -> AsyncIterator[StreamRequest]:
        yield REQUEST

    tracer = TracerProvider().get_tracer("test")
    with tracer.start_as_current_span("asking") as span:
        async with saccade.AsyncClient(server) as client:
            assert 1 == len([answer async for answer in client.classify_stream(requests())])

    assert [header(span)] == [each["traceparent"] for each in sent]


async def test_the_state_of_tracing_systems_goes_along(
    connect: Connect, server: str, sent: list[dict[str, str]]
) -> None:
    """As tracestate."""
    state = TraceState([("vendor", "value")])
    context = SpanContext(7, 8, is_remote=False, trace_flags=TraceFlags(1), trace_state=state)
    with trace.use_span(NonRecordingSpan(context)):
        await connect(server).classify(b"a")

    assert ["vendor=value"] == [each["tracestate"] for each in sent]


async def test_without_a_span_nothing_is_added(
    connect: Connect, server: str, sent: list[dict[str, str]]
) -> None:
    """No empty header."""
    await connect(server).classify(b"a")

    assert [] == [key for each in sent for key in each if re.match("trace", key)]


async def test_the_caller_s_own_trace_is_left_alone(
    connect: Connect, server: str, sent: list[dict[str, str]]
) -> None:
    """One given by hand goes before the current span."""
    own = f"00-{1:032x}-{2:016x}-01"
    options = ClientOptions(metadata=(("traceparent", own),))
    with TracerProvider().get_tracer("test").start_as_current_span("asking"):
        await connect(server, options).classify(b"a")

    assert [own] == [each["traceparent"] for each in sent]
