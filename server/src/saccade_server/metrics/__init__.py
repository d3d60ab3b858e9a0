"""The metrics of the server."""

from saccade_server.metrics.metrics import Metrics
from saccade_server.metrics.series import Counter, Gauge, Histogram

__all__ = ["Counter", "Gauge", "Histogram", "Metrics"]
