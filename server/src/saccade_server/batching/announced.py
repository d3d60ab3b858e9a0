"""Calls whose messages are on their way."""

import time
from collections.abc import Callable

FRESH_S = 0.001
"""After that long one is waited for no more: its caller may be slow, or send nothing at all."""


class Announced:
    """Calls that a transport has been told of and whose messages it has yet to hand on.

    gRPC hands out a call first, and its message later: who looks only at the requests that wait
    takes one of many for the only one. For the event loop's thread.

    Args:
        clock: Monotonic seconds.

    Attributes:
        starting: Requests that are there whole and whose handlers the loop starts in its next
            turn. A transport counts them up and down.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.starting = 0
        self._clock = clock
        self._last = 0
        self._since: dict[int, float] = {}

    def begin(self) -> int:
        """There is a call; its number, for `end`."""
        self._last += 1
        self._since[self._last] = self._clock()
        return self._last

    def end(self, call: int) -> None:
        """Its message has come, or never will."""
        self._since.pop(call, None)

    def any(self) -> bool:
        """Whether a message should be there soon."""
        if self.starting:
            return True
        while self._since:
            call, since = next(iter(self._since.items()))
            if self._clock() - since < FRESH_S:
                return True
            del self._since[call]
        return False
