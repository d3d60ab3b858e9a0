"""Ctrl-C and SIGTERM while a network is trained and exported."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Raises KeyboardInterrupt when a signal comes, and remembers it.

    Exceptions that a signal raises can be lost, in a destructor or a library's clean-up, or be
    taken for a failure of what they hit. So `check` stands where a training can stop.
    """

    def __init__(self) -> None:
        self.requested = False

    def check(self) -> None:
        """Raises KeyboardInterrupt if there was a signal."""
        if self.requested:
            raise KeyboardInterrupt

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The signals' handler."""
        self.requested = True
        raise KeyboardInterrupt


@contextmanager
def watch_signals() -> Iterator[Interruption]:
    """Takes the signals over for a while; for the main thread."""
    interruption = Interruption()
    before = {number: signal.signal(number, interruption.handle) for number in SIGNALS}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
