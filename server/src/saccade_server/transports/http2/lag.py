"""How long what the event loop is given waits for its turn."""

LONG_S = 0.002
"""A wait that shows that the loop has more to do than it can."""

MEMORY_S = 0.1
"""After that long without an answer nothing is known of the loop any more."""

_NEW = 0.5
"""Weight of the newest wait."""


class Lag:
    """Learns it from the waits between an answer's frames and the write that takes them along.

    Shared by all connections of a loop. Times are monotonic seconds.
    """

    def __init__(self) -> None:
        self._usual_s = 0.0
        self._known_until = 0.0
        self._behind_until = 0.0

    def learn(self, since: float, now: float) -> None:
        """Takes note of a wait."""
        waited_s, usual_s = now - since, self.now_s(since)
        self._usual_s = usual_s + _NEW * (waited_s - usual_s)
        self._known_until = now + MEMORY_S
        if waited_s >= LONG_S:
            self._behind_until = now + MEMORY_S

    def now_s(self, now: float) -> float:
        """The usual wait; 0 while nothing is known."""
        return self._usual_s if now <= self._known_until else 0.0

    def behind(self, now: float) -> bool:
        """Whether a wait was long, not long ago."""
        return now <= self._behind_until
