"""The names, labels and buckets on which dashboards and alerts rely."""

from itertools import pairwise

import pytest
from prometheus_client import CollectorRegistry

from saccade_server.metrics import Metrics
from saccade_server.metrics.metrics import SECONDS

LABELS = {
    "requests": ("saccade_requests", "api", "method", "model", "code"),
    "request_seconds": ("saccade_request_seconds", "api", "method", "model"),
    "stage_seconds": ("saccade_stage_seconds", "stage"),
    "images": ("saccade_images", "model", "version", "outcome"),
    "batch_images": ("saccade_batch_images", "model"),
    "queue_images": ("saccade_queue_images", "model"),
    "inflight_requests": ("saccade_inflight_requests",),
    "rejected": ("saccade_rejected", "reason"),
    "model_info": ("saccade_model_info", "model", "version", "engine"),
    "model_state": ("saccade_model_state", "model", "version", "state"),
    "model_load_seconds": ("saccade_model_load_seconds", "model", "version"),
    "predictions": ("saccade_predictions", "model", "version", "label"),
    "prediction_confidence": ("saccade_prediction_confidence", "model", "version"),
}


@pytest.mark.parametrize("attribute", LABELS)
def test_a_metric_has_its_name_and_labels(attribute: str) -> None:
    """A series made by position is shown under the labels' names."""
    name, *labels = LABELS[attribute]
    metrics = Metrics(CollectorRegistry())
    getattr(metrics, attribute).labels(*labels)
    (family,) = getattr(metrics, attribute).collect()
    names = set(family.samples[0].labels) - {"le"}

    assert (name, set(labels)) == (family.name, names)


def test_two_servers_do_not_share_their_metrics() -> None:
    """Nothing is global: both may live in one process."""
    first, second = Metrics(CollectorRegistry()), Metrics(CollectorRegistry())
    first.inflight_requests.labels().inc()

    assert (1, 0) == tuple(
        each.registry.get_sample_value("saccade_inflight_requests") for each in (first, second)
    )


def test_the_process_is_shown_too() -> None:
    """Its memory, as any Prometheus dashboard looks for it."""
    memory = Metrics(CollectorRegistry()).registry.get_sample_value("process_resident_memory_bytes")

    assert memory is not None
    assert memory > 1e6


def test_the_buckets_go_from_100_microseconds_to_10_seconds() -> None:
    """The quickest answer and the slowest that anybody waits for."""
    assert (1e-4, 10) == (SECONDS[0], SECONDS[-1])


def test_the_buckets_below_a_second_tell_half_as_much_again() -> None:
    """A quantile read from them is off by half its value at most, where requests usually are."""
    assert max(above / below for below, above in pairwise(SECONDS) if above <= 1) <= 1.5 + 1e-9
