"""Quantiles from a histogram in Prometheus' text format."""

import math
from collections.abc import Mapping
from itertools import pairwise

from prometheus_client.parser import text_string_to_metric_families


def quantile(text: str, name: str, q: float, match: Mapping[str, str]) -> float:
    """Estimates a quantile as Prometheus' histogram_quantile does: linear inside a bucket.

    Args:
        text: What /metrics answered.
        name: The histogram.
        q: 0 to 1.
        match: Labels that a series must have; all such series are added up.

    Returns:
        In the histogram's unit; NaN if nothing was observed.
    """
    counts: dict[float, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == f"{name}_bucket" and match.items() <= sample.labels.items():
                bound = float(sample.labels["le"])
                counts[bound] = counts.get(bound, 0.0) + sample.value
    buckets = [(0.0, 0.0), *sorted(counts.items())]
    total = buckets[-1][1]
    if not total:
        return math.nan
    for (low, before), (high, upto) in pairwise(buckets):
        if upto >= q * total and upto > before:
            if math.isinf(high):
                return low
            return low + (high - low) * (q * total - before) / (upto - before)
    return buckets[-1][0]
