"""An answerer with metrics of its own."""

import pytest
from prometheus_client import CollectorRegistry

from saccade_server.metrics import Metrics
from saccade_server.services.answer import Answerer
from saccade_server.services.inflight import Inflight


@pytest.fixture
def metrics() -> Metrics:
    """The answerer's metrics."""
    return Metrics(CollectorRegistry())


@pytest.fixture
def answerer(metrics: Metrics) -> Answerer:
    """What is tested."""
    return Answerer(metrics, Inflight(metrics))
