"""Whether requests come faster than they can be answered in time."""

HIGH = 0.1
"""Share of the requests from which on it is so. A caller who asks twice, and leaves the slower
answer, or one who gives hopeless deadlines, is not the crowd."""

NEW = 0.01
"""Weight of the newest request: the last hundred or so count."""


class Pressure:
    """Learns the share of requests that are refused, late or left by their callers.

    May be read in any thread.
    """

    def __init__(self) -> None:
        self._share = 0.0

    @property
    def high(self) -> bool:
        """Whether it is more than a few."""
        return self._share > HIGH

    def learn(self, *, lost: bool) -> None:
        """Takes note of a request.

        Args:
            lost: Whether it was refused, or not answered in time.
        """
        self._share += NEW * (float(lost) - self._share)
