"""The metrics of the server."""

from saccade_server.metrics.family import Collected, Family
from saccade_server.metrics.metrics import Metrics
from saccade_server.metrics.series import Counter, Gauge, Histogram, Value
from saccade_server.metrics.statistics import CallTotal, VersionStatistics

__all__ = [
    "CallTotal",
    "Collected",
    "Counter",
    "Family",
    "Gauge",
    "Histogram",
    "Metrics",
    "Value",
    "VersionStatistics",
]
