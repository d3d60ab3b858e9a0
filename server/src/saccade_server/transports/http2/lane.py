"""What one stream has to send."""

import asyncio
from collections import deque
from collections.abc import Callable


class Lane:
    """What one stream has to send.

    Args:
        number: Of the stream.
        window: What the peer takes of it, in bytes; negative after it has shrunk the window.
        on_sent: Called when all is sent, trailers included, unless `reply` or `end` said so.

    Attributes:
        size: Bytes of messages not yet sent.
    """

    __slots__ = ("number", "on_sent", "parts", "queued", "room", "size", "started", "trailers",
                 "window")  # fmt: skip

    def __init__(self, number: int, window: int, on_sent: Callable[[], None]) -> None:
        self.number = number
        self.window = window
        self.on_sent = on_sent
        self.parts: deque[memoryview] | None = None
        self.size = 0
        self.started = False
        self.trailers: bytes | None = None
        self.queued = False
        self.room: asyncio.Future[None] | None = None
