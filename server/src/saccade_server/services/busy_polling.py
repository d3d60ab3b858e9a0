"""Staying awake for a caller that asks again as soon as it is answered.

To wake up a thread that sleeps takes long, on a virtual machine most of all, and where a caller
sends one request after the other, each waits for that. The way out is that of the adaptive halt
polling of KVM: where the last pauses were short, look for the next request without sleeping.
"""

import asyncio
import time
from collections.abc import Callable

QUICK = 8
"""So many requests without company, each after a short pause, tell of such a caller. What comes at
random seldom looks like that: there nothing is gained, and others need the processor."""


class BusyPolling:
    """Keeps the event loop turning in short pauses.

    Args:
        most_s: The longest pause that counts as short, and that it turns without a request; 0: it
            never does.
        clock: In seconds.

    Attributes:
        turning: Whether the loop does not sleep now.
    """

    def __init__(self, most_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most_s = most_s
        self._clock = clock
        self._quick = 0
        self._since = clock() - most_s
        self._until = 0.0
        self.turning = False

    def come(self, *, alone: bool) -> None:
        """A request comes; `alone`: no other one is under way."""
        self._until = 0.0
        short = alone and self._clock() - self._since < self._most_s
        self._quick = self._quick + 1 if short else 0

    def rest(self) -> None:
        """No request is under way any more."""
        self._since = self._clock()
        if self._quick >= QUICK:
            self._until = self._since + self._most_s
            if not self.turning:
                self.turning = True
                asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self.turning = self._clock() < self._until
        if self.turning:
            asyncio.get_running_loop().call_soon(self._turn)
