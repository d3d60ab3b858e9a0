"""When a failed call is made again. Pure: the clients send and sleep.

gRPC's own retries (service config) know neither RetryInfo nor "RESOURCE_EXHAUSTED only with it", so
the rule stands here. Why each method may be made twice:

- Classify computes from its request alone and changes nothing; a lost answer costs compute.
- ListModels, GetModel and grpc.health.v1 Check only read.
- ClassifyStream is not retried: only the caller knows which requests still matter, and each of
  them may be sent again.
"""

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import grpc

from saccade._errors import InputError, Overloaded, SaccadeError, Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how patiently a call is made again.

    Attributes:
        max_attempts: Calls in all, the first one included; 1 turns retries off.
        initial_backoff_s: Longest pause before the second attempt, in seconds; doubles each time.
        max_backoff_s: What the doubling stops at.

    Raises:
        InputError: A value is out of range.
    """

    max_attempts: int = 4
    initial_backoff_s: float = 0.1
    max_backoff_s: float = 2.0

    def __post_init__(self) -> None:
        if self.max_attempts < 1:
            raise InputError(f"max_attempts must be at least 1, got {self.max_attempts}")
        if not 0 <= self.initial_backoff_s <= self.max_backoff_s < math.inf:
            raise InputError("0 <= initial_backoff_s <= max_backoff_s must hold")


class Deadline:
    """When a call, with all its attempts, must be over.

    Args:
        timeout_s: From now on, above 0; `math.inf` for never.
        clock: Seconds of a monotonic clock.

    Raises:
        InputError: `timeout_s` is out of range.
    """

    def __init__(self, timeout_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        if not timeout_s > 0:
            raise InputError(f"timeout must be above 0 s, got {timeout_s}")
        self._clock = clock
        self._end_s = clock() + timeout_s

    def left_s(self) -> float | None:
        """Seconds left, as gRPC takes them: at least 0; None for no limit."""
        return None if self._end_s == math.inf else max(0.0, self._end_s - self._clock())

    def outlasts(self, pause_s: float) -> bool:
        """Whether there is time left after a pause."""
        return self._clock() + pause_s < self._end_s


class Attempts:
    """The attempts of one call. Not thread-safe: each call has its own.

    Args:
        policy: The bounds.
        deadline: Of the call, shared by all requests of a split list.
        jitter: A number from 0 to 1, a new one each time.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        deadline: Deadline,
        *,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._policy = policy
        self._deadline = deadline
        self._jitter = jitter
        self._failed = 0

    def pause_s(self, error: SaccadeError) -> float | None:
        """Seconds to wait before the next attempt after `error`; None: give up.

        CANCELLED means that the server did it: who gives a call up here does not ask.

        The server's own delay is a lower bound, and the random part comes on top of it, so that
        callers refused together do not come back together.
        """
        self._failed += 1
        if not _passes(error) or self._failed >= self._policy.max_attempts:
            return None
        # The exponent is bounded because 2.0 ** 1024 overflows.
        longest_s = self._policy.initial_backoff_s * 2.0 ** min(self._failed - 1, 64)
        backoff_s = self._jitter() * min(longest_s, self._policy.max_backoff_s)
        pause_s = (error.retry_after_s or 0.0) + backoff_s
        return pause_s if self._deadline.outlasts(pause_s) else None


def _passes(error: SaccadeError) -> bool:
    """Whether the same request may succeed a moment later."""
    if isinstance(error, Overloaded):
        return error.retry_after_s is not None
    # Servers on gRPC's own stack cancel what their end finds on the wire: it was not begun.
    return isinstance(error, Unavailable) or error.code is grpc.StatusCode.CANCELLED
