"""When a connection has to end: silence, half a frame, nothing to do, a peer that takes nothing."""

import enum

from saccade_server.transports.http2.options import Http2Options


class Verdict(enum.Enum):
    """What to do with a connection."""

    KEEP = enum.auto()
    ASK = enum.auto()
    """Send a ping: the peer may be dead."""
    RETIRE = enum.auto()
    """Close it in the polite way."""
    DROP = enum.auto()
    """Close it at once."""


class Upkeep:
    """The timers of one connection, all of them counted in its ticks of one second.

    Args:
        options: How long each may take.

    Attributes:
        heard: Something came; set for each read, cleared by each tick.
    """

    def __init__(self, options: Http2Options) -> None:
        self.heard = False
        self._options = options
        self._age_s = self._silent_s = self._frame_s = self._idle_s = self._stuck_s = 0

    def frame_ended(self) -> None:
        """A frame was complete, so the next one has all its time."""
        self._frame_s = 0

    def tick(self, *, settled: bool, in_frame: bool, stuck: bool, calls: int) -> Verdict:
        """A second has passed.

        Args:
            settled: The handshake is over.
            in_frame: A frame or header block has begun.
            stuck: In this second the peer took nothing of what it could take.
            calls: Under way.
        """
        options = self._options
        self._age_s += 1
        self._frame_s = self._frame_s + 1 if in_frame else 0
        self._stuck_s = self._stuck_s + 1 if stuck else 0
        self._idle_s = 0 if calls else self._idle_s + 1
        self._silent_s = 0 if self.heard else self._silent_s + 1
        self.heard = False
        if (
            (not settled and self._age_s >= options.handshake_s)
            or self._frame_s >= options.frame_s
            or self._stuck_s >= options.stall_s
            or self._silent_s >= options.keepalive_s + options.keepalive_timeout_s
        ):
            return Verdict.DROP
        if self._idle_s >= options.idle_s:
            return Verdict.RETIRE
        return Verdict.ASK if self._silent_s == options.keepalive_s else Verdict.KEEP
