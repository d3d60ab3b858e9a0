"""Spans of requests that share a batch, and of those that fail or go."""

import asyncio
from typing import Any

import grpc.aio
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext, StatusCode

from fixtures.in_process import InProcessServer, request
from integration.server.conftest import StartInProcess
from integration.server.failures import failed
from integration.server.load import block
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub
from saccade_server.tracing import Tracer

CLASSIFY = "saccade.v1.ImageClassifier/Classify"


class Traced:
    """A server in this process, and its spans that have ended."""

    def __init__(
        self, server: InProcessServer, tracer: Tracer, spans: InMemorySpanExporter
    ) -> None:
        self.server = server
        self._tracer, self._spans = tracer, spans

    async def ended(self, name: str) -> list[ReadableSpan]:
        """Those of a name, once the tracer is closed."""
        await self._tracer.close()
        return [span for span in self._spans.get_finished_spans() if span.name == name]


@pytest.fixture
async def traced(start_in_process: StartInProcess) -> Traced:
    """A server that makes spans."""
    spans, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    tracer = Tracer(provider)
    return Traced(await start_in_process(tracer=tracer), tracer, spans)


def parent(number: int, flags: int = 1) -> tuple[tuple[str, str], ...]:
    """The metadata of a caller with a span of that number."""
    return (("traceparent", f"00-{number:032x}-{number:016x}-{flags:02x}"),)


def context(span: ReadableSpan) -> SpanContext:
    """The ids of a span."""
    found = span.get_span_context()
    assert found is not None
    return found


async def test_requests_of_one_batch_are_linked_through_it(traced: Traced) -> None:
    """Each inference names the batch, and the batch its requests, of whatever traces."""
    server = traced.server
    async with grpc.aio.insecure_channel(server.address) as channel:
        stub: Any = ImageClassifierStub(channel)
        first = await block(server, stub)
        others = [
            asyncio.ensure_future(stub.Classify(request(1), timeout=20, metadata=parent(number)))
            for number in (7, 8)
        ]
        await server.reach_queued(2)
        server.engine.release()
        await asyncio.gather(first, *others)
    batches = await traced.ended("batch")
    inferences = await traced.ended("inference")
    requests = {context(span).span_id: span for span in await traced.ended(CLASSIFY)}
    (batch,) = batches

    assert 2 == len(requests) == len(inferences)
    assert {context(batch).span_id} == {
        link.context.span_id for span in inferences for link in span.links
    }
    assert requests.keys() == {link.context.span_id for link in batch.links}
    assert {7, 8} == {context(span).trace_id for span in requests.values()}
    assert batch.attributes is not None
    assert ("tiny", 1, 2) == tuple(batch.attributes[k] for k in ("model", "version", "images"))


async def test_a_fault_of_ours_is_an_error_of_the_span(traced: Traced) -> None:
    """What the caller got wrong is none."""
    traced.server.engine.poison = 66
    async with grpc.aio.insecure_channel(traced.server.address) as channel:
        stub: Any = ImageClassifierStub(channel)
        await failed(stub.Classify(request(66), timeout=20, metadata=parent(7)))
        await failed(stub.Classify(request(), timeout=20, metadata=parent(8)))
    ours, theirs = await traced.ended(CLASSIFY)

    assert (StatusCode.ERROR, StatusCode.UNSET) == (
        ours.status.status_code,
        theirs.status.status_code,
    )


@pytest.mark.parametrize("state", ["not a state", "=", "a=" + "x" * 600, "a=1,a=2"])
async def test_a_wrong_state_harms_nobody(
    traced: Traced, state: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The span is made without it, and the log does not repeat what was sent."""
    async with grpc.aio.insecure_channel(traced.server.address) as channel:
        stub: Any = ImageClassifierStub(channel)
        metadata = (*parent(7), ("tracestate", state))
        await stub.Classify(request(1), timeout=20, metadata=metadata)
    (span,) = await traced.ended(CLASSIFY)

    assert 7 == context(span).trace_id
    assert [] == [each for each in caplog.records if "opentelemetry.trace" in each.name]


@pytest.mark.parametrize("metadata", [(), parent(7, 0), (("traceparent", "nonsense"),)])
async def test_a_caller_that_records_nothing_gets_no_span(
    traced: Traced, metadata: tuple[tuple[str, str], ...]
) -> None:
    """Nor does the batch of its request."""
    async with grpc.aio.insecure_channel(traced.server.address) as channel:
        stub: Any = ImageClassifierStub(channel)
        await stub.Classify(request(1), timeout=20, metadata=metadata)

    assert [] == [*await traced.ended(CLASSIFY), *await traced.ended("batch")]
