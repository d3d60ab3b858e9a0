"""How much longer than expected everything is taken for, so that what is let in is in time."""

LATE_SHARE = 0.05
"""Of the requests that are let in, as many may be late."""

STEP = 0.02
MOST = 1.5


class Caution:
    """A factor for expected times, learned from what became of requests with deadlines.

    An expectation that is right on average is wrong for half of the requests, and a queue that is
    full up to the deadline makes all that wait late at the first hiccup. Each late request raises
    the factor, each that is in time lowers it a little: it rests where one of twenty is late
    (stochastic approximation of a quantile, Robbins and Monro 1951).

    Attributes:
        factor: 1 to 1.5; with up to 3 less was late, but callers who come again got fewer answers.
    """

    def __init__(self) -> None:
        self.factor = 1.0

    def learn(self, *, late: bool) -> None:
        """Takes note of a request that was let in."""
        change = 1 + STEP if late else 1 - STEP * LATE_SHARE
        self.factor = min(MOST, max(1.0, self.factor * change))
