"""What one stream has to send."""

import asyncio
from abc import ABC, abstractmethod
from collections import deque


class Lane(ABC):
    """What one stream has to send.

    Args:
        number: Of the stream.
        window: What the peer takes of it, in bytes; negative after it has shrunk the window.

    Attributes:
        size: Bytes of messages not yet sent.
        tail: The header block that ends it, once that waits behind messages.
    """

    __slots__ = ("number", "parts", "queued", "room", "size", "started", "tail", "window")

    def __init__(self, number: int, window: int) -> None:
        self.number = number
        self.window = window
        self.parts: deque[memoryview] | None = None
        self.size = 0
        self.started = False
        self.tail: bytes | None = None
        self.queued = False
        self.room: asyncio.Future[None] | None = None

    @abstractmethod
    def on_sent(self) -> None:
        """Called when all is sent, trailers included, unless `reply` or `end` said so."""
