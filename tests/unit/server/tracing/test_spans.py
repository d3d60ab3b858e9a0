"""Spans of requests that shared an engine call."""

import time

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from saccade_server.tracing.spans import Tracer

SAMPLED = {"traceparent": f"00-{7:032x}-{8:016x}-01"}


async def test_all_requests_of_a_batch_have_its_start() -> None:
    """Told one after the other, by a wall clock that is read anew."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = Tracer(provider)
    batch = "digits", 1, time.monotonic()
    for _ in range(3):
        request = tracer.begin("/package.Service/Method", SAMPLED, "peer")
        assert request is not None
        request.scored(batch, queue_s=0.001, inference_s=0.002, images=3)

    await tracer.close()

    spans = [span for span in exporter.get_finished_spans() if span.name in ("batch", "inference")]
    assert (4, 1) == (len(spans), len({span.start_time for span in spans}))
