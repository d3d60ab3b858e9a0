"""Metrics as plain values, which travel between processes, and the sums of several workers'."""

from collections.abc import Iterable
from typing import Any

from prometheus_client.metrics_core import Metric

Families = list[dict[str, Any]]
"""Metrics by name, text, type and samples; a sample is a name, labels and a value."""

_SAME_EVERYWHERE = (
    "saccade_model_",
    "saccade_engine_fallback",
    "process_start_time",
    "process_max_fds",
    "python_",
)
"""Of these gauges the largest counts; every other number is added up."""


def add_up(told: Iterable[Families]) -> Families:
    """One set of families from those of several workers."""
    merged: dict[str, dict[str, Any]] = {}
    values: dict[tuple[str, str, tuple[tuple[str, str], ...]], float] = {}
    for families in told:
        for family in families:
            name = family["name"]
            merged.setdefault(name, {**family, "samples": []})
            for sample, labels, value in family["samples"]:
                key = name, sample, tuple(labels.items())
                if key not in values:
                    values[key] = value
                elif name.startswith(_SAME_EVERYWHERE):
                    values[key] = max(values[key], value)
                else:
                    values[key] += value
    for (name, sample, labels), value in values.items():
        merged[name]["samples"].append([sample, dict(labels), value])
    return list(merged.values())


def to_plain(metrics: Iterable[Metric]) -> Families:
    """Metrics as they travel."""
    return [
        {
            "name": metric.name,
            "text": metric.documentation,
            "type": metric.type,
            "samples": [[sample.name, sample.labels, sample.value] for sample in metric.samples],
        }
        for metric in metrics
    ]


def from_plain(families: Families) -> list[Metric]:
    """Metrics as prometheus_client writes them."""
    metrics = []
    for family in families:
        metric = Metric(family["name"], family["text"], family["type"])
        for sample, labels, value in family["samples"]:
            metric.add_sample(sample, labels, value)
        metrics.append(metric)
    return metrics
