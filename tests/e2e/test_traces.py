"""Spans of a server process, as a collector gets them over OTLP."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from PIL import Image

from conftest import StartServer
from fixtures.collector import collecting
from fixtures.http import post
from saccade import Client, NotFound, StreamRequest

CLASSIFY = "saccade.v1.ImageClassifier/Classify"
STAGES = ["decode", "queue", "inference"]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture of the digits' size."""
    path = tmp_path / "picture.png"
    Image.new("L", (8, 8), 77).save(path)
    return path


def span_id(span: trace.Span) -> bytes:
    """The id of a span of ours, as a collector has it."""
    return span.get_span_context().span_id.to_bytes(8, "big")


def attributes(span: Any) -> dict[str, Any]:
    """Of a span that a collector has."""
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


@pytest.mark.parametrize("transport", ["grpcio", "http2"])
def test_a_collector_gets_the_spans_of_requests_below_their_callers(
    start_server: StartServer, repository: Path, picture: Path, transport: str
) -> None:
    """Unary, streamed and over HTTP, with their stages and batches; of those that are sampled."""
    tracer = TracerProvider(sampler=ALWAYS_ON).get_tracer("test")
    silent = TracerProvider(sampler=ALWAYS_OFF).get_tracer("test")
    with collecting() as (collector, endpoint):
        server = start_server(
            repository, f"--transport={transport}", f"--trace-endpoint={endpoint}"
        )
        server.wait_ready()
        with Client(server.grpc) as client:
            with tracer.start_as_current_span("asking") as asking:
                client.classify(picture, request_id="order 66")
            with silent.start_as_current_span("unseen"):
                client.classify(picture, request_id="unseen")
            client.classify(picture, request_id="alone")
            with tracer.start_as_current_span("wrong") as wrong, pytest.raises(NotFound):
                client.classify(picture, model="nobody")
            with tracer.start_as_current_span("streaming") as streaming:
                requests = [StreamRequest(images=picture, request_id=str(n)) for n in range(2)]
                assert 2 == len(list(client.classify_stream(requests)))
        by_http = f"00-{7:032x}-{8:016x}-01"
        post(server.http, "/v2/models/digits/infer", b"\xff", {"traceparent": by_http})
        # What is left is sent before the process ends.
        assert 0 == server.stop()

    good, bad = collector.named(CLASSIFY)
    (stream,) = collector.named("saccade.v1.ImageClassifier/ClassifyStream")
    parts = collector.named("request")
    (infer,) = collector.named("inference.GRPCInferenceService/ModelInfer")
    of_trace = [s for s in collector.spans if s.trace_id == good.trace_id and s is not good]
    batches = {span.span_id: span for span in collector.named("batch")}

    assert (span_id(asking), span_id(wrong)) == (good.parent_span_id, bad.parent_span_id)
    assert span_id(streaming) == stream.parent_span_id
    assert [stream.span_id] * 2 == [each.parent_span_id for each in parts]
    assert (8).to_bytes(8, "big") == infer.parent_span_id
    assert (0, "order 66", "digits") == tuple(
        attributes(good)[key]
        for key in ("rpc.grpc.status_code", "saccade.request_id", "saccade.model")
    )
    assert 5 == attributes(bad)["rpc.grpc.status_code"]
    assert ["0", "1"] == sorted(attributes(each)["saccade.request_id"] for each in parts)
    assert sorted(STAGES) == sorted(each.name for each in of_trace)
    assert {good.span_id} == {each.parent_span_id for each in of_trace}
    assert 9 == sum(len(collector.named(stage)) for stage in STAGES)
    for inference in collector.named("inference"):
        (link,) = inference.links
        batch = batches[link.span_id]
        assert inference.parent_span_id in [each.span_id for each in batch.links]
        assert inference.start_time_unix_nano == batch.start_time_unix_nano
    by_name = {each.name: each for each in of_trace}
    moments = [good.start_time_unix_nano]
    for stage in STAGES:
        moments += [by_name[stage].start_time_unix_nano, by_name[stage].end_time_unix_nano]
    # Two clocks are read for them, a moment apart.
    assert all(after >= before - 1_000_000 for before, after in pairwise(moments))
    assert {"saccade-server"} == {each["service.name"] for each in collector.resources}


def test_a_collector_that_is_not_there_harms_nobody(
    start_server: StartServer, repository: Path, picture: Path
) -> None:
    """Requests are answered, and the end comes in time."""
    server = start_server(repository, "--trace-endpoint=http://127.0.0.1:9")
    server.wait_ready()
    tracer = TracerProvider(sampler=ALWAYS_ON).get_tracer("test")
    with Client(server.grpc) as client, tracer.start_as_current_span("asking"):
        assert 1 == len(client.classify(picture))

    assert 0 == server.stop()


def test_without_the_extra_the_setting_is_refused(repository: Path) -> None:
    """With its name, before anything is served."""
    code = (
        "import sys; sys.modules['opentelemetry'] = None; "
        "from saccade_server.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    arguments = ["serve", f"--model-repository={repository}", "--trace-endpoint=http://[::1]:4317"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip

    assert 2 == done.returncode
    assert "--trace-endpoint needs the extra saccade-server[tracing]" in done.stderr


def test_nothing_of_it_is_loaded_where_it_is_off() -> None:
    """The server does without the extra."""
    assert "opentelemetry" not in loaded_by("import saccade_server.app")


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after `code`."""
    script = f"{code}\nimport json, sys\nprint(json.dumps([m.split('.')[0] for m in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    return set(json.loads(done.stdout))
