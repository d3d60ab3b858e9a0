"""What a call has received: messages for its handler, within windows and bounds of memory."""

from collections.abc import Callable

from saccade_server.errors import Overloaded, SaccadeError

PREFIX_BYTES = 5
"""Before each message: whether it is compressed, and its length."""

PREVIEW_BYTES = 256
"""Of a message, to judge it by."""

Message = tuple[bool, bytes]
"""Whether it is compressed, and its bytes."""


class Pool:
    """Counts what all connections hold.

    Args:
        max_bytes: Beyond it requests are refused.
    """

    def __init__(self, max_bytes: int) -> None:
        self.held_bytes = 0
        self._max_bytes = max_bytes

    def hold(self, size: int) -> None:
        """Counts bytes that came.

        Raises:
            Overloaded: They are too many; they are counted all the same.
        """
        self.held_bytes += size
        if self.held_bytes > self._max_bytes:
            raise Overloaded("too much is being sent to this server at once", retry_after_s=1.0)

    def drop(self, size: int) -> None:
        """Counts bytes that went."""
        self.held_bytes -= size


class Budget:
    """Lets the streams of a connection ask for more than their window, one after the other.

    Args:
        size: Bytes; at least what one stream may ask for.
        pool: Shared by all connections.
    """

    def __init__(self, size: int, pool: Pool) -> None:
        self.pool = pool
        self._left = size
        self._waiting: dict[Intake, int] = {}

    def ask(self, intake: "Intake", size: int) -> bool:
        """Whether the bytes are granted now; else `intake.granted` is called when they are."""
        if self._waiting or size > self._left:
            self._waiting[intake] = size
            return False
        self._left -= size
        return True

    def give_back(self, intake: "Intake", size: int) -> None:
        """Ends a grant, or the wait for one."""
        if self._waiting.pop(intake, None) is None:
            self._left += size
        while self._waiting:
            first, wanted = next(iter(self._waiting.items()))
            if wanted > self._left:
                return
            del self._waiting[first]
            self._left -= wanted
            first.granted()


class Intake:
    """The receiving half of a stream: bytes, and messages that are cut off when they are taken.

    A stream may send `base` bytes unasked. A message that is larger gets, once its length is
    known and the budget allows, a window for all of itself: no large message waits for round
    trips. What is consumed is given back.

    Args:
        base: Bytes that may wait here.
        window: Bytes that the peer may send so far.
        max_message_bytes: Compressed messages too.
        budget: For messages beyond the window.
        widen: Called with the increment when the peer may send more.
        preview: Called, before that, with the first bytes of the first message if not all of it
            has come at once; what it raises is raised by `feed`.
    """

    def __init__(
        self,
        base: int,
        window: int,
        max_message_bytes: int,
        budget: Budget,
        widen: Callable[[int], None],
        preview: Callable[[bytes], None],
    ) -> None:
        self._base = base
        self._window = window
        self._max_message_bytes = max_message_bytes
        self._budget = budget
        self._widen = widen
        self._preview: Callable[[bytes], None] | None = preview
        self._bytes = bytearray()
        self._size = 0
        self._taken = 0
        self._asked = 0
        self._granted = False

    @property
    def empty(self) -> bool:
        """Whether all that came was taken."""
        return not self._bytes

    @property
    def partial(self) -> bool:
        """Whether the next message has begun to come and is not whole."""
        return 0 < len(self._bytes) < max(self._size, PREFIX_BYTES)

    @property
    def alone(self) -> bool:
        """Whether behind the next message nothing has come so far."""
        return len(self._bytes) == self._size

    def accept(self, size: int) -> bool:
        """Counts a frame's payload, padding included; False if the window was smaller."""
        self._window -= size
        return self._window >= 0

    def feed(self, data: bytes) -> None:
        """Takes the next bytes of the body.

        Raises:
            SaccadeError: They are no messages, or too large ones, or too much altogether.
        """
        self._bytes += data
        self._budget.pool.hold(len(data))
        ready = self.ready()
        if self._preview is not None and self._size:
            preview, self._preview = self._preview, None
            if not ready and not self._bytes[0]:
                preview(bytes(memoryview(self._bytes)[PREFIX_BYTES : PREFIX_BYTES + PREVIEW_BYTES]))
        self._renew()

    def shift(self, difference: int) -> None:
        """The peer may send so much more, or less, than it could."""
        self._window += difference
        self._renew()

    def ready(self) -> bool:
        """Whether a whole message can be taken.

        Raises:
            SaccadeError: What comes next is no message, or too large a one.
        """
        came = len(self._bytes)
        if not self._size:
            if came < PREFIX_BYTES:
                return False
            self._size = PREFIX_BYTES + self._read_length()
        return came >= self._size

    def take(self) -> Message:
        """The next message, which is ready; the one before is consumed by now."""
        self.consume()
        message = bool(self._bytes[0]), bytes(memoryview(self._bytes)[PREFIX_BYTES : self._size])
        del self._bytes[: self._size]
        self._taken, self._size = self._size, 0
        return message

    def consume(self) -> None:
        """Nobody needs the last message that was taken any more."""
        if self._taken:
            self._budget.pool.drop(self._taken)
            self._taken = 0
            self._give_back()
            self._renew()

    def close(self) -> None:
        """Gives everything back; the stream is over."""
        self._budget.pool.drop(len(self._bytes) + self._taken)
        self._bytes.clear()
        self._taken = 0
        self._give_back()

    def granted(self) -> None:
        """The budget allows what was asked for."""
        self._granted = True
        self._renew()

    def _renew(self) -> None:
        """Lets the peer send what there is room for."""
        came = len(self._bytes)
        target = self._base - came - self._taken
        missing = max(self._size, PREFIX_BYTES) - came
        # Whoever waits for the rest of a large message holds no other one.
        if missing > 0 and came and not self._taken and target < missing and self._may_exceed():
            target = missing
        increment = target - self._window
        # Small steps only where the peer could not go on otherwise.
        if increment >= self._base // 2 or (increment > 0 and self._window < missing <= target):
            self._window += increment
            self._widen(increment)

    def _may_exceed(self) -> bool:
        if not self._asked:
            self._asked = self._size
            self._granted = self._budget.ask(self, self._size)
        return self._granted

    def _read_length(self) -> int:
        if self._bytes[0] > 1:
            raise SaccadeError("the body is no sequence of gRPC messages")
        length = int.from_bytes(self._bytes[1:PREFIX_BYTES], "big")
        if length > self._max_message_bytes:
            raise Overloaded(
                f"a message has {length} bytes; at most {self._max_message_bytes} are allowed"
            )
        return length

    def _give_back(self) -> None:
        if self._asked:
            asked, self._asked, self._granted = self._asked, 0, False
            self._budget.give_back(self, asked)
