"""What a handler knows of the call it answers, whatever transport it came by."""

import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from random import getrandbits
from typing import Any

from google.protobuf.message import DecodeError, Message

from saccade_server.errors import InvalidArgument
from saccade_server.services.parts import check_parts
from saccade_server.tracing import RequestTrace

MAX_REQUEST_ID_BYTES = 128
REQUEST_ID = "x-request-id"
"""The metadata's key of an id that a caller, or a proxy on the way, has given to a request."""
STICKY_KEY = "saccade-sticky-key"
"""The metadata's key of what a caller wants to stay with one version."""

_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


@dataclass(slots=True, kw_only=True)
class Call:
    """One call.

    A call whose caller has gone is cancelled: the handler's task gets CancelledError.

    Attributes:
        deadline: On `time.monotonic`; None without one.
        metadata: Of the request, keys in lower case; the values of one that came more than once
            are joined by a comma.
        peer: The caller's address, for the log.
        model: Set by the handler once it knows; the metrics' label.
        request_id: Set by the handler to the caller's own, if it sent one; see `identify`.
        urgent: Goes before everything that is not; set by the handler.
        alone: Whether no other request was under way or about to come when it began.
        trace: Its span; None where nobody records one.
    """

    deadline: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    peer: str = ""
    model: str = ""
    request_id: str = ""
    urgent: bool = False
    alone: bool = False
    trace: RequestTrace | None = None

    def identify(self, request_id: str) -> str:
        """Takes over the caller's id, of the message or of the metadata, or makes one up.

        Raises:
            InvalidArgument: It is too long or not printable ASCII (it goes to the log).
        """
        if request_id and (
            len(request_id) > MAX_REQUEST_ID_BYTES or _UNPRINTABLE.search(request_id)
        ):
            raise InvalidArgument(
                f"request_id must be at most {MAX_REQUEST_ID_BYTES} printable ASCII characters"
            )
        self.request_id = request_id or self._metadata_id or make_request_id()
        return self.request_id

    @property
    def known_id(self) -> str:
        """The id, also of a request that failed before its message told one."""
        return self.request_id or self._metadata_id or make_request_id()

    @property
    def _metadata_id(self) -> str:
        """The metadata's; empty where there is none, or one that does not belong into a log."""
        found = self.metadata.get(REQUEST_ID, "")
        return "" if len(found) > MAX_REQUEST_ID_BYTES or _UNPRINTABLE.search(found) else found

    def part(self) -> "Call":
        """A call of its own for one of the requests of a stream."""
        trace = None if self.trace is None else self.trace.part()
        return Call(deadline=self.deadline, metadata=self.metadata, peer=self.peer, trace=trace)

    @property
    def traffic_key(self) -> str:
        """By which traffic is split: what the caller says, or else the request by itself."""
        return self.metadata.get(STICKY_KEY) or self.request_id

    def remaining_s(self) -> float | None:
        """Seconds until the deadline."""
        return None if self.deadline is None else self.deadline - time.monotonic()


def make_request_id() -> str:
    """32 hexadecimal digits. They tell requests apart and need not be hard to guess."""
    return f"{getrandbits(128):032x}"


UnaryHandler = Callable[[Any, Call], Awaitable[Message]]
Judge = Callable[[bytes, Call], Callable[[], object] | None]
StreamHandler = Callable[[AsyncIterator[Any], Call], AsyncIterator[Message]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method of an API: how a transport finds, parses and answers it.

    Attributes:
        api: The metrics' label, such as "saccade".
        path: "/package.Service/Method".
        request: The message type.
        unary: The handler of a unary method, or None.
        stream: The handler of a method that streams answers (and, if `streams_requests`,
            requests; else its iterator has one).
        streams_requests: Whether the caller streams.
        admit: Called before anything of the request is read; raises a SaccadeError for a caller
            who may not call. None: everybody may.
        probe: It asks how the server is: everybody may, however busy the server is.
        judge: Of a unary method, or None: called with the first bytes of a message of which
            the rest has not come; raises a SaccadeError if the answer could not be in time. Gives
            what to call when the rest has come or never will, or None.
        name: The path's last part.
    """

    api: str
    path: str
    request: type[Message]
    unary: UnaryHandler | None = None
    stream: StreamHandler | None = None
    streams_requests: bool = False
    admit: Callable[[Call], None] | None = None
    probe: bool = False
    judge: Judge | None = None
    name: str = field(init=False)

    def __post_init__(self) -> None:
        """Asked for in each call, computed once."""
        object.__setattr__(self, "name", self.path.rpartition("/")[2])

    @property
    def service(self) -> str:
        """The path's first part: the service's full name."""
        return self.path.split("/")[1]

    def parse(self, data: bytes) -> Any:
        """The message of a request.

        Raises:
            InvalidArgument: The bytes are none, or it has too many parts.
        """
        check_parts(data, self.request.DESCRIPTOR)
        try:
            return self.request.FromString(data)
        except DecodeError:
            name = self.request.DESCRIPTOR.full_name
            raise InvalidArgument(f"the message is not a {name}") from None
