"""Spans of requests and of the batches that they share.

Only requests whose callers record their own span get any: the caller decides on sampling, and a
request that is not traced costs the look for a header. OpenTelemetry is loaded where it is used: it
is an extra.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from saccade_server.errors import Code, ConfigError
from saccade_server.tracing.context import TRACE_STATE, read_trace_context

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

SERVICE = "saccade-server"

BATCH_OPEN_S = 1.0
"""For how long a batch's span takes links: its requests are answered one after the other."""

CLOSE_S = 3.0
"""Bound for what is left to be sent at the end."""

_FAULTS = frozenset({Code.DEADLINE_EXCEEDED, Code.UNIMPLEMENTED, Code.INTERNAL, Code.UNAVAILABLE})
"""Codes that are errors of a server by OpenTelemetry's conventions; others are the caller's."""

Batch = tuple[str, int, float]
"""Which engine call: model, version, and when it started on the monotonic clock."""


def make_tracer(endpoint: str) -> "Tracer":
    """A tracer that sends its spans by OTLP over gRPC; the SDK reads its own variables, OTEL_*.

    Args:
        endpoint: http://HOST:PORT, or https.

    Raises:
        ConfigError: OpenTelemetry is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON
    except ImportError as error:
        raise ConfigError(
            f"--trace-endpoint needs the extra saccade-server[tracing]: {error}"
        ) from None
    resource = Resource.create({"process.pid": os.getpid()})
    if str(resource.attributes["service.name"]).startswith("unknown_service"):
        resource = resource.merge(Resource({"service.name": SERVICE}))
    provider = TracerProvider(ALWAYS_ON, resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=endpoint)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Tracer(provider, exporter.shutdown)


class Tracer:
    """Makes the spans of one server. Only the event loop's thread may use it.

    Args:
        provider: Of the spans; closed with the tracer. Must record everything: what is not to be
            recorded never gets there.
        give_up: Ends the sending of spans where it takes too long; None: it does not.
    """

    def __init__(
        self, provider: "TracerProvider", give_up: Callable[[], object] | None = None
    ) -> None:
        self._provider = provider
        self._give_up = give_up
        self._tracer = provider.get_tracer("saccade_server")
        self._batches: dict[Batch, tuple[Span, int]] = {}
        # It warns of what callers send as tracestate, with its text, and is not ours to bound.
        logging.getLogger("opentelemetry.trace.span").setLevel(logging.ERROR)

    def begin(self, path: str, metadata: Mapping[str, str], peer: str) -> "RequestTrace | None":
        """The span of a request that has just come; None where its caller records none.

        Args:
            path: Of the method.
            metadata: Of the request.
            peer: The caller's address.
        """
        context = read_trace_context(metadata)
        if context is None or not context.sampled:
            return None
        from opentelemetry import trace

        parent = trace.SpanContext(
            int(context.trace_id, 16),
            int(context.span_id, 16),
            is_remote=True,
            trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
            trace_state=trace.TraceState.from_header([metadata.get(TRACE_STATE, "")]),
        )
        service, _, method = path[1:].partition("/")
        span = self._tracer.start_span(
            path[1:],
            trace.set_span_in_context(trace.NonRecordingSpan(parent)),
            trace.SpanKind.SERVER,
            {"rpc.service": service, "rpc.method": method, "network.peer.address": peer},
        )
        return RequestTrace(self, span)

    def start(self, name: str, parent: "Span", start_ns: int | None = None) -> "Span":
        """A span below another."""
        from opentelemetry import trace

        context = trace.set_span_in_context(parent)
        return self._tracer.start_span(name, context, start_time=start_ns)

    def batch(
        self, batch: Batch, images: int, inference_s: float, member: "Span"
    ) -> "tuple[Span, int]":
        """The span of an engine call, in a trace of its own, with a link to each traced request.

        Args:
            batch: Which.
            images: In it.
            inference_s: Seconds that it took.
            member: A request that was part of it.

        Returns:
            The span, and its start on the wall clock in nanoseconds, which is the same for all
            members: two clocks are read for it, once.
        """
        known = self._batches.get(batch)
        if known is None:
            from opentelemetry.context import Context

            model, version, started = batch
            start_ns = time.time_ns() - _ns(time.monotonic() - started)
            span = self._tracer.start_span(
                "batch",
                Context(),
                attributes={"model": model, "version": version, "images": images},
                start_time=start_ns,
            )
            known = self._batches[batch] = span, start_ns
            loop = asyncio.get_running_loop()
            loop.call_later(BATCH_OPEN_S, self._end_batch, batch, start_ns + _ns(inference_s))
        known[0].add_link(member.get_span_context())
        return known

    async def close(self) -> None:
        """Sends what is left, within a bound."""
        now = time.time_ns()
        for batch in list(self._batches):
            self._end_batch(batch, now)
        closing = asyncio.ensure_future(asyncio.to_thread(self._provider.shutdown))
        await asyncio.wait([closing], timeout=CLOSE_S)
        if not closing.done() and self._give_up is not None:
            await asyncio.to_thread(self._give_up)
        await closing

    def _end_batch(self, batch: Batch, end_ns: int) -> None:
        known = self._batches.pop(batch, None)
        if known is not None:
            known[0].end(end_ns)


class RequestTrace:
    """The span of one request, and those of its stages.

    Args:
        tracer: Makes them.
        span: Of the request.
    """

    __slots__ = ("_code", "_span", "_tracer")

    def __init__(self, tracer: Tracer, span: "Span") -> None:
        self._tracer = tracer
        self._span = span
        self._code = Code.OK

    def part(self) -> "RequestTrace":
        """The span of one of the requests of a stream, below the stream's."""
        return RequestTrace(self._tracer, self._tracer.start("request", self._span))

    def decoded(self, seconds: float, images: int) -> None:
        """The stage `decode` has just ended, after so many seconds."""
        end_ns = time.time_ns()
        span = self._tracer.start("decode", self._span, end_ns - _ns(seconds))
        span.set_attribute("images", images)
        span.end(end_ns)

    def scored(self, batch: Batch, queue_s: float, inference_s: float, images: int) -> None:
        """The stages `queue` and `inference` are over.

        Args:
            batch: The engine call; of a request that took several, the first.
            queue_s: Seconds until it started.
            inference_s: Seconds of all engine calls.
            images: In the largest engine call.
        """
        shared, start_ns = self._tracer.batch(batch, images, inference_s, self._span)
        end_ns = start_ns + _ns(inference_s)
        self._tracer.start("queue", self._span, start_ns - _ns(queue_s)).end(start_ns)
        span = self._tracer.start("inference", self._span, start_ns)
        span.add_link(shared.get_span_context())
        span.set_attribute("batch_images", images)
        span.end(end_ns)

    def fail(self, code: Code) -> None:
        """The request ends with an error."""
        self._code = code

    def end(self, model: str, request_id: str) -> None:
        """The request is over."""
        from opentelemetry.trace import StatusCode

        self._span.set_attributes(
            {
                "rpc.grpc.status_code": int(self._code),
                "saccade.model": model,
                "saccade.request_id": request_id,
            }
        )
        if self._code in _FAULTS:
            self._span.set_status(StatusCode.ERROR, self._code.name)
        self._span.end()


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
