"""When a failed call is made again."""

import math

import pytest

from saccade._errors import (
    DeadlineExceeded,
    InputError,
    InvalidArgument,
    Overloaded,
    SaccadeError,
    ServerError,
    Unavailable,
)
from saccade._retry import Attempts, Deadline, RetryPolicy

GONE = Unavailable("gone")


class FakeClock:
    """Seconds that only the test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def attempts(
    policy: RetryPolicy | None = None, *, timeout_s: float = math.inf, jitter: float = 1.0
) -> Attempts:
    deadline = Deadline(timeout_s, clock=FakeClock())
    return Attempts(policy or RetryPolicy(), deadline, jitter=lambda: jitter)


def test_the_longest_pause_doubles_up_to_its_bound() -> None:
    """With the jitter at its highest."""
    policy = RetryPolicy(max_attempts=5, initial_backoff_s=0.5, max_backoff_s=1.5)
    made = attempts(policy)

    assert [0.5, 1.0, 1.5, 1.5, None] == [made.pause_s(GONE) for _ in range(5)]


def test_jitter_scales_the_pause() -> None:
    """Callers that failed together come back apart."""
    policy = RetryPolicy(initial_backoff_s=0.5, max_backoff_s=2)

    assert 0.125 == attempts(policy, jitter=0.25).pause_s(GONE)


def test_one_attempt_means_no_retry() -> None:
    """Retries can be turned off."""
    assert attempts(RetryPolicy(max_attempts=1)).pause_s(GONE) is None


@pytest.mark.parametrize(
    "error",
    [
        InvalidArgument("wrong"),
        DeadlineExceeded("late"),
        ServerError("internal error"),
        Overloaded("the message is too large"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_that_would_come_again_is_not_retried(error: SaccadeError) -> None:
    """Only UNAVAILABLE, and RESOURCE_EXHAUSTED with RetryInfo, are."""
    assert attempts().pause_s(error) is None


def test_the_servers_delay_is_the_least_pause() -> None:
    """With the jitter at its lowest, and never shorter than the server asked."""
    assert 3.0 == attempts(jitter=0.0).pause_s(Overloaded("full", retry_after_s=3.0))


def test_the_random_part_comes_on_top_of_the_servers_delay() -> None:
    """Else all refused callers would come back at the same moment."""
    policy = RetryPolicy(initial_backoff_s=0.5)

    assert 3.5 == attempts(policy).pause_s(Overloaded("full", retry_after_s=3.0))


def test_a_pause_beyond_the_deadline_is_not_begun() -> None:
    """The caller gets the true error at once instead of a timeout later."""
    assert attempts(timeout_s=2.0).pause_s(Overloaded("full", retry_after_s=3.0)) is None


def test_time_left_counts_down_to_zero() -> None:
    """It never turns negative, which gRPC would not take."""
    clock = FakeClock()
    deadline = Deadline(2.0, clock=clock)
    left = []
    for _ in range(3):
        left.append(deadline.left_s())
        clock.now_s += 1.5

    assert [2.0, 0.5, 0.0] == left


def test_an_infinite_timeout_is_no_limit() -> None:
    """As gRPC says it: None."""
    assert Deadline(math.inf).left_s() is None


@pytest.mark.parametrize("timeout_s", [0, -1, math.nan])
def test_a_timeout_must_lie_ahead(timeout_s: float) -> None:
    """Zero is more likely a mistake than a wish."""
    with pytest.raises(InputError, match="timeout must be above 0 s"):
        Deadline(timeout_s)


@pytest.mark.parametrize(
    "values",
    [
        {"max_attempts": 0},
        {"initial_backoff_s": -1},
        {"initial_backoff_s": 3, "max_backoff_s": 2},
        {"max_backoff_s": math.inf},
        {"initial_backoff_s": math.nan},
    ],
    ids=str,
)
def test_a_policy_refuses_what_makes_no_sense(values: dict[str, float]) -> None:
    """It is checked when it is made, not when the first call fails."""
    with pytest.raises(InputError):
        RetryPolicy(**values)  # type: ignore[arg-type]
