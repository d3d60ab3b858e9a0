"""Metrics and probes of a real server process."""

import math
from itertools import pairwise
from typing import Any

import grpc
import pytest

from fixtures.http import get, read_metrics
from fixtures.server_process import ServerProcess
from saccade.v1 import classifier_pb2 as pb
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub

PIXELS = pb.Image(pixels=pb.PixelTensor(height=28, width=28, channels=1, data=bytes(784)))
CALL = {"api": "saccade", "method": "Classify", "model": "digits"}


def classify(server: ServerProcess, times: int) -> None:
    """Sends some requests, one after the other."""
    with grpc.insecure_channel(server.grpc) as channel:
        stub: Any = ImageClassifierStub(channel)
        for _ in range(times):
            stub.Classify(pb.ClassifyRequest(images=[PIXELS, pb.Image()]), timeout=20)


def buckets(server: ServerProcess) -> list[tuple[float, float]]:
    """The upper bounds of Classify's latency histogram in seconds, with the counts up to them."""
    return [
        (float(sample.labels["le"]), sample.value)
        for sample in read_metrics(server.http)["saccade_request_seconds"].samples
        if sample.name.endswith("_bucket") and CALL.items() <= sample.labels.items()
    ]


def quantile(counted: list[tuple[float, float]], part: float) -> float:
    """As Prometheus' histogram_quantile: linear within the bucket."""
    rank = part * counted[-1][1]
    for (lower, below), (upper, up_to) in pairwise([(0.0, 0.0), *counted]):
        if up_to >= rank:
            return lower + (upper - lower) * (rank - below) / (up_to - below)
    raise AssertionError("the last bucket holds all")


def test_a_process_that_runs_is_alive(server: ServerProcess) -> None:
    """Kubernetes leaves it running."""
    assert (200, "ok\n") == get(server.http, "/livez")


def test_a_process_whose_models_are_up_is_ready(server: ServerProcess) -> None:
    """Kubernetes sends it requests."""
    assert (200, "ok\n") == get(server.http, "/readyz")


def test_another_path_is_not_found(server: ServerProcess) -> None:
    """As on any web server."""
    assert 404 == get(server.http, "/etc/passwd")[0]


@pytest.mark.parametrize(
    ("name", "kind", "labels"),
    [
        ("saccade_requests", "counter", {"api", "method", "model", "code"}),
        ("saccade_request_seconds", "histogram", {"api", "method", "model"}),
        ("saccade_stage_seconds", "histogram", {"stage"}),
        ("saccade_images", "counter", {"model", "version", "outcome"}),
        ("saccade_batch_images", "histogram", {"model"}),
        ("saccade_queue_images", "gauge", {"model"}),
        ("saccade_inflight_requests", "gauge", set()),
        ("saccade_model_info", "gauge", {"model", "version", "engine"}),
        ("saccade_model_state", "gauge", {"model", "version", "state"}),
        ("saccade_model_load_seconds", "gauge", {"model", "version"}),
        ("saccade_predictions", "counter", {"model", "version", "label"}),
        ("saccade_prediction_confidence", "histogram", {"model", "version"}),
    ],
)
def test_prometheus_reads_the_metrics(
    server: ServerProcess, name: str, kind: str, labels: set[str]
) -> None:
    """By its own parser: name, type and labels."""
    classify(server, 1)
    family = read_metrics(server.http)[name]

    assert (kind, {frozenset(labels)}) == (
        family.type,
        {frozenset(sample.labels.keys() - {"le"}) for sample in family.samples},
    )


def test_openmetrics_is_spoken_to_whom_asks_for_it(server: ServerProcess) -> None:
    """Its text has an end mark."""
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}

    assert get(server.http, "/metrics", accept)[1].endswith("# EOF\n")


def test_each_request_is_in_the_histogram(server: ServerProcess) -> None:
    """Once."""
    classify(server, 1)
    before = buckets(server)[-1][1]
    classify(server, 5)

    assert before + 5 == buckets(server)[-1][1]


def test_the_last_bucket_has_no_bound(server: ServerProcess) -> None:
    """So that it holds every request."""
    classify(server, 1)

    assert math.inf == buckets(server)[-1][0]


def test_quantiles_can_be_read_from_the_buckets(server: ServerProcess) -> None:
    """Half of the requests are quicker than the p50, and it is below the p99."""
    classify(server, 20)
    counted = buckets(server)
    p50, p99 = quantile(counted, 0.5), quantile(counted, 0.99)

    assert 0 < p50 <= p99 < 10


def test_the_code_of_a_refusal_is_counted(server: ServerProcess) -> None:
    """An alert on errors can tell callers' mistakes from ours."""
    with grpc.insecure_channel(server.grpc) as channel:
        stub: Any = ImageClassifierStub(channel)
        with pytest.raises(grpc.RpcError):
            stub.Classify(pb.ClassifyRequest(), timeout=20)
    codes = {
        sample.labels["code"] for sample in read_metrics(server.http)["saccade_requests"].samples
    }

    assert "INVALID_ARGUMENT" in codes


def test_what_callers_write_is_no_label(server: ServerProcess) -> None:
    """Or else they could fill the memory of server and Prometheus."""
    spec = pb.ModelSpec(name="made-up-by-a-caller")
    with grpc.insecure_channel(server.grpc) as channel:
        stub: Any = ImageClassifierStub(channel)
        with pytest.raises(grpc.RpcError):
            stub.Classify(pb.ClassifyRequest(images=[PIXELS], model=spec), timeout=20)

    assert "made-up-by-a-caller" not in get(server.http, "/metrics")[1]
