"""Keeps a peer from keeping us busy with nothing (rapid reset, CVE-2023-44487, and its like)."""

from saccade_server.transports.http2.errors import ErrorCode, Violation


class Guard:
    """Counts frames that cost us work and bring nothing.

    Args:
        per_s: As many are fine in a second.
    """

    def __init__(self, per_s: int) -> None:
        self._per_s = per_s
        self._left = per_s

    def count(self, what: str) -> None:
        """Counts one.

        Raises:
            Violation: They are too many.
        """
        self._left -= 1
        if self._left < 0:
            raise Violation(ErrorCode.ENHANCE_YOUR_CALM, f"too many frames such as this {what}")

    def tick(self) -> None:
        """A second has passed."""
        self._left = self._per_s
