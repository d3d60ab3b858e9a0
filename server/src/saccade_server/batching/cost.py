"""What an engine call costs, learned while serving."""

FORGET = 0.98
"""Weight of what is known when one more call is seen: the last 50 calls or so count."""


class CostModel:
    """Seconds of an engine call by its number of images: cost(n) = a + b * n, a >= 0, b >= 0.

    Least squares over the calls seen, the older ones with geometrically less weight (recursive
    weighted least squares; the sums below are its sufficient statistics). Not thread-safe.
    """

    def __init__(self) -> None:
        self._weight = self._n = self._t = self._nn = self._nt = 0.0
        self._error = 0.0

    def observe(self, images: int, seconds: float) -> None:
        """Learns from one call."""
        if expected := self(images):
            error = min(abs(seconds / expected - 1), 1.0)
            self._error += (1 - FORGET) * (error - self._error)
        self._weight = FORGET * self._weight + 1
        self._n = FORGET * self._n + images
        self._t = FORGET * self._t + seconds
        self._nn = FORGET * self._nn + images * images
        self._nt = FORGET * self._nt + images * seconds

    def __call__(self, images: int) -> float:
        """Expected seconds of a call; 0 while nothing is known, or for no images."""
        if not self._weight or not images:
            return 0.0
        n, t = self._n / self._weight, self._t / self._weight
        variance = self._nn / self._weight - n * n
        if variance > 0.01 * n * n:
            slope = max(0.0, (self._nt / self._weight - n * t) / variance)
        else:
            # All calls had about the same size: nothing tells a from b.
            slope = t / n if images > n else 0.0
        slope = min(slope, t / n)
        return t + slope * (images - n)

    @property
    def margin(self) -> float:
        """What to multiply an expectation by to be on the safe side: 1 to 3.

        One and twice the mean relative error of past expectations.
        """
        return 1 + 2 * self._error
