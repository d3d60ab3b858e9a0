"""What a stream of the peer may send before it is asked for more."""

from collections.abc import Callable

from saccade_server.transports.http2 import frames

NARROW_BYTES = 4096
"""Enough for what a request is judged by, and for all of a small one."""


class InitialWindow:
    """Wide as a rule; narrow for as long as requests are refused before their bodies have come.

    A message that is larger than its window waits for one more round trip. So the window grows to
    hold the largest one that has come: the next like it do not wait.

    A peer changes all its windows when it reads our SETTINGS, and says so (RFC 9113, section
    6.9.2). Until then it may send by the old ones: a narrow window counts from its word on, a wide
    one at once.

    Args:
        wide: Bytes, at first.
        most: That it may grow to.
        send: Sends a frame.
        shift: Called with what every open stream may send more, or less.

    Attributes:
        size: Bytes, by which the peer goes or will.
        wide: Bytes, unless it is narrow.
    """

    def __init__(
        self, wide: int, most: int, send: Callable[[bytes], None], shift: Callable[[int], None]
    ) -> None:
        self.size = self.wide = wide
        self._most = most
        self._send = send
        self._shift = shift
        self._unread = [wide]
        """What we have announced and the peer not acknowledged; the first time when it connects."""
        self._refused = False

    def narrow(self) -> None:
        """A request was refused, and its body need not have come."""
        self._refused = True
        if self.size > NARROW_BYTES and not self._unread:
            self._announce(NARROW_BYTES)

    def fit(self, size: int) -> None:
        """A message of so many bytes has come, its prefix included."""
        if self.wide < size and self.wide < self._most:
            # Doubled: pictures differ a little, and each change is a frame.
            self.wide = min(self._most, max(size, 2 * self.wide))
            self._widen()

    def tick(self) -> None:
        """A second has passed; one without refusals widens the window again."""
        self._widen()
        self._refused = False

    def acknowledged(self) -> None:
        """The peer goes by the settings that it got."""
        if self._unread:
            self._set(self._unread.pop(0))

    def _widen(self) -> None:
        if not self._refused and self.size < self.wide and not self._unread:
            self._announce(self.wide)
            self._set(self.wide)

    def _announce(self, size: int) -> None:
        self._unread.append(size)
        self._send(frames.settings({frames.INITIAL_WINDOW_SIZE: size}))

    def _set(self, size: int) -> None:
        difference, self.size = size - self.size, size
        if difference:
            self._shift(difference)
