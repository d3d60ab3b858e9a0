"""How long the event loop collects requests before it runs them itself."""

from collections.abc import Callable

from saccade_server.batching.announced import Announced

LEAST_TURNS = 4
"""Of the loop, in any gathering: the answers to the batch before it leave, and all connections are
read, before the loop is busy with the next one."""

GATHER_TURNS = 40
"""So many turns of the loop in which no request came end a gathering, if none is announced: what is
at the door has come in, and callers who were just answered have had a moment to ask again. (20
turns of a loop that has nothing to do take 11 to 19 µs.)"""

GATHER_S = 0.005
"""The longest that one gathers."""

CALL_S = 0.01
"""The longest engine call that is made for what was gathered, as expected: so long the loop answers
nobody else. A crowd that would need longer is run in parts."""


class Gathering:
    """Counts the turns of the loop; for its thread.

    Args:
        announced: Calls that others will come by.
        clock: Monotonic seconds.

    Attributes:
        on: Whether one is going on.
    """

    def __init__(self, announced: Announced, clock: Callable[[], float]) -> None:
        self._announced = announced
        self._clock = clock
        self._most_images = 0
        self._since = 0.0
        self._turns = 0
        self._empty_turns = 0
        self.on = False

    def begin(self, most_images: int) -> None:
        """One begins, with the first request.

        Args:
            most_images: That a batch may have: nobody waits for more.
        """
        self.on = True
        self._most_images = most_images
        self._since = self._clock()
        self._turns = self._empty_turns = 0

    def come(self) -> None:
        """One more request has come."""
        self._empty_turns = 0

    def turn(self, images: int) -> bool:
        """A turn of the loop is over; whether more may come.

        Args:
            images: That wait.
        """
        self._turns += 1
        self._empty_turns += 1
        if self._turns <= LEAST_TURNS:
            return True
        if images >= self._most_images:
            return False
        if self._empty_turns > GATHER_TURNS and not self._announced.any():
            return False
        return self._clock() - self._since < GATHER_S

    def end(self) -> None:
        """It is over."""
        self.on = False
