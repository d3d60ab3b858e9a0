"""The bound of the requests under way."""

import pytest

from saccade_server.errors import Overloaded
from saccade_server.metrics import Metrics
from saccade_server.services.inflight import FEW_REQUESTS, LEAST_RETRY_S, Inflight


@pytest.fixture
def inflight(metrics: Metrics) -> Inflight:
    """Room for two."""
    return Inflight(metrics, 2)


def test_a_request_beyond_the_bound_is_refused(inflight: Inflight) -> None:
    """The text says how many there are."""
    inflight.enter()
    inflight.enter()
    with pytest.raises(Overloaded) as refused:
        inflight.enter()

    expected = "2 requests are being answered, more may not: try again later"
    assert expected == refused.value.message


def test_room_is_given_again(inflight: Inflight, metrics: Metrics) -> None:
    """A request that was answered makes room for one."""
    inflight.enter()
    inflight.enter()
    inflight.leave(0.1)
    inflight.enter()

    assert 2 == metrics.registry.get_sample_value("saccade_inflight_requests")


def test_a_refused_request_takes_no_room(inflight: Inflight, metrics: Metrics) -> None:
    """It is counted as refused, and not among those under way."""
    inflight.enter()
    inflight.enter()
    with pytest.raises(Overloaded):
        inflight.enter()
    value = metrics.registry.get_sample_value

    assert (2, 1) == (
        value("saccade_inflight_requests"),
        value("saccade_rejected_total", {"reason": "inflight"}),
    )


def test_one_that_fails_makes_room_too(inflight: Inflight, metrics: Metrics) -> None:
    """However a request of a stream ends."""
    with pytest.raises(ValueError, match="failed"), inflight.hold():
        raise ValueError("failed")

    assert 0 == metrics.registry.get_sample_value("saccade_inflight_requests")


@pytest.mark.parametrize(("seconds", "expected"), [(0.0, LEAST_RETRY_S), (2.0, 2.0)])
def test_the_advice_is_the_usual_duration(
    inflight: Inflight, seconds: float, expected: float
) -> None:
    """By then those of now are answered; it is never zero."""
    for _ in range(1000):
        inflight.enter()
        inflight.leave(seconds)
    inflight.enter()
    inflight.enter()
    with pytest.raises(Overloaded) as refused:
        inflight.check()

    assert pytest.approx(expected) == refused.value.retry_after_s


@pytest.mark.parametrize(("requests", "alone"), [(1, True), (2, False)])
def test_it_tells_a_lone_request(metrics: Metrics, requests: int, alone: bool) -> None:
    """By those under way now."""
    inflight = Inflight(metrics)
    for _ in range(requests + 1):
        inflight.enter()
    inflight.leave(0.1)

    assert alone == inflight.alone


@pytest.mark.parametrize(("requests", "few"), [(1, True), (FEW_REQUESTS, True), (5, False)])
def test_it_tells_few_requests_from_many(metrics: Metrics, requests: int, few: bool) -> None:
    """Whether they are still under way or have been answered just now."""
    inflight = Inflight(metrics)
    for _ in range(requests):
        inflight.enter()
    before = inflight.few
    for _ in range(requests):
        inflight.leave(0.1)

    assert (few, few) == (before, inflight.few)


def test_a_crowd_is_forgotten(metrics: Metrics) -> None:
    """Not by the first that come after it, but soon."""
    inflight = Inflight(metrics)
    for _ in range(32):
        inflight.enter()
    for _ in range(32):
        inflight.leave(0.1)
    few = []
    for _ in range(100):
        inflight.enter()
        few.append(inflight.few)
        inflight.leave(0.1)

    assert ([False] * 20, [True] * 20) == (few[:20], few[-20:])
