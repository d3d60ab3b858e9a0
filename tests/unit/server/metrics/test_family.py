"""The metrics of several worker processes, added up."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from saccade_server.metrics import Family, Metrics


def metrics_of_a_worker(requests: int, model_version: str = "1") -> Metrics:
    """A worker that has answered some requests, each after 1 ms."""
    metrics = Metrics(CollectorRegistry())
    for _ in range(requests):
        metrics.requests.labels("saccade", "Classify", "digits", "OK").inc()
        metrics.request_seconds.labels("saccade", "Classify", "digits").observe(0.001)
    metrics.model_info.labels("digits", model_version, "litert").set(1)
    return metrics


async def collect(folder: Path, *workers: Metrics) -> dict[tuple[str, str], float]:
    """What the first worker says of all, by sample name and version or bucket."""
    families = [Family(folder, index) for index in range(len(workers))]
    for family, worker in zip(families, workers, strict=True):
        await family.start(worker.registry)
    collected = await families[0].collect()
    for family in families:
        await family.stop()
    return {
        (sample.name, sample.labels.get("le", sample.labels.get("version", ""))): sample.value
        for metric in collected.collect()
        for sample in metric.samples
    }


async def test_counters_are_added_up(tmp_path: Path) -> None:
    """Three requests there and two here are five."""
    samples = await collect(tmp_path, metrics_of_a_worker(3), metrics_of_a_worker(2))

    assert 5 == samples["saccade_requests_total", ""]


async def test_histograms_are_added_up_by_bucket(tmp_path: Path) -> None:
    """Count, and every bucket above the observations."""
    samples = await collect(tmp_path, metrics_of_a_worker(3), metrics_of_a_worker(2))

    assert [0, 5, 5] == [
        samples["saccade_request_seconds_bucket", "0.0008"],
        samples["saccade_request_seconds_bucket", "0.001"],
        samples["saccade_request_seconds_count", ""],
    ]


async def test_what_says_that_something_is_so_stays_one(tmp_path: Path) -> None:
    """A version that all workers have loaded is not loaded twice."""
    samples = await collect(tmp_path, metrics_of_a_worker(1), metrics_of_a_worker(1))

    assert 1 == samples["saccade_model_info", "1"]


async def test_what_only_one_worker_has_is_there(tmp_path: Path) -> None:
    """Two workers in the middle of a rollout have loaded different versions."""
    samples = await collect(tmp_path, metrics_of_a_worker(1, "1"), metrics_of_a_worker(1, "2"))

    assert [1, 1] == [samples["saccade_model_info", version] for version in ("1", "2")]


async def test_a_worker_that_died_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its socket is still there, but nobody answers on it."""
    dead = Family(tmp_path, 7)
    await dead.start(CollectorRegistry())
    (tmp_path / "7.sock").rename(tmp_path / "8.sock")
    await dead.stop()
    samples = await collect(tmp_path, metrics_of_a_worker(3))

    assert (3, ["worker 8 tells no metrics"]) == (
        samples["saccade_requests_total", ""],
        caplog.messages,
    )
