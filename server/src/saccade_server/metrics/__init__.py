"""The metrics of the server."""

from saccade_server.metrics.metrics import Metrics
from saccade_server.metrics.series import Counter, Gauge, Histogram, Value

__all__ = ["Counter", "Gauge", "Histogram", "Metrics", "Value"]
