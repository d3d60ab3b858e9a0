"""The requests that this process works on, and the bound beyond which the next one is refused."""

import time

from saccade_server.errors import Overloaded
from saccade_server.metrics import Metrics
from saccade_server.services.busy_polling import BusyPolling

MAX_REQUESTS = 4096
FEW_REQUESTS = 4
"""Their answers are best written one by one, and at once. Many callers who wait for a batch are
best answered all together: those who are answered first take processors from the others."""

_SHRINK = 0.95
"""For each request what is known of the crowd shrinks to so much of itself, or to those of now."""

LEAST_RETRY_S = 0.05
"""A refused caller is never told to come back now, even while nothing is known."""

_FORGET = 0.02
"""Weight of the newest request in what is known of their duration."""


class Inflight:
    """Counts requests over all models and APIs: unary calls, and the messages of streams.

    An open stream is no request, nor is a probe: however many there are, they take no room. Only
    the event loop's thread may use it.

    Args:
        metrics: Where the count and the refusals are shown.
        most: Requests at the same time; beyond it the next one is refused.
        busy_poll_s: See `BusyPolling`.
    """

    def __init__(
        self, metrics: Metrics, most: int = MAX_REQUESTS, busy_poll_s: float = 0.0
    ) -> None:
        self._count = metrics.inflight_requests.labels()
        self._rejected = metrics.rejected
        self._most = most
        self._polling = BusyPolling(busy_poll_s)
        self._usual_s = 0.0
        self._crowd = 0.0

    def check(self) -> None:
        """Refuses a request that there is no room for.

        Raises:
            Overloaded: The advice for a retry is the usual duration of a request: by then those
                of now are answered.
        """
        if self._count.value >= self._most:
            self._rejected.labels("inflight").inc()
            raise Overloaded(
                f"{self._most} requests are being answered, more may not: try again later",
                retry_after_s=max(self._usual_s, LEAST_RETRY_S),
            )

    def enter(self) -> None:
        """Counts a request; `leave` must follow.

        Raises:
            Overloaded: As `check`; then it is not counted.
        """
        self.check()
        self._polling.come(alone=not self._count.value)
        self._count.inc()
        self._crowd = max(self._count.value, _SHRINK * self._crowd)

    def leave(self, seconds: float) -> None:
        """A request is answered.

        Args:
            seconds: That it took.
        """
        self._count.dec()
        if not self._count.value:
            self._polling.rest()
        self._usual_s += _FORGET * (seconds - self._usual_s)

    @property
    def alone(self) -> bool:
        """Whether one request is under way."""
        return self._count.value == 1

    @property
    def awake(self) -> bool:
        """Whether the loop does not sleep now, since the next request is expected at once."""
        return self._polling.turning

    @property
    def few(self) -> bool:
        """Whether lately so few came together that nobody gains by waiting for the others."""
        return self._crowd <= FEW_REQUESTS

    def hold(self) -> "_Held":
        """Counts a request, as a context; raises as `enter` does."""
        return _Held(self)


class _Held:
    """See `Inflight.hold`; a class because that costs less than a generator."""

    __slots__ = ("_inflight", "_started")

    def __init__(self, inflight: Inflight) -> None:
        self._inflight = inflight

    def __enter__(self) -> None:
        self._inflight.enter()
        self._started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._inflight.leave(time.perf_counter() - self._started)
