"""What a version has done so far, in sums: for APIs that tell their callers.

Prometheus gets distributions over all of a model's versions; these are the totals of one version,
with one entry for each batch size. Only the event loop's thread changes them.
"""

import time
from dataclasses import dataclass, field
from types import TracebackType

from saccade_server.errors import SaccadeError


@dataclass(slots=True)
class Total:
    """How often something was done, and for how many seconds altogether."""

    count: int = 0
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        """Counts one more."""
        self.count += 1
        self.seconds += seconds


@dataclass(slots=True)
class CallTotal(Total):
    """The same of engine calls, with the sum of their squared seconds."""

    squares: float = 0.0

    def add(self, seconds: float) -> None:
        """Counts one more."""
        self.count += 1
        self.seconds += seconds
        self.squares += seconds * seconds

    def since(self, before: "CallTotal | None") -> "CallTotal":
        """What has come since a copy was made."""
        if before is None:
            return self
        return CallTotal(
            self.count - before.count, self.seconds - before.seconds, self.squares - before.squares
        )


@dataclass(slots=True, kw_only=True)
class VersionStatistics:
    """The totals of one version since it was loaded first.

    Attributes:
        success: Requests that got scores.
        failure: Requests that got an error after their version was found.
        faults: Those of them whose error is ours: no caller, no deadline and no load explains it.
        decode: Decoding of requests' images; ready-made values are not decoded.
        queue: Waiting of requests.
        inference: The engine calls that requests were part of.
        images: Images with scores.
        batches: Engine calls by their number of images.
        last_s: Of the last success, seconds since 1970; 0 before the first.
    """

    success: Total = field(default_factory=Total)
    failure: Total = field(default_factory=Total)
    faults: int = 0
    decode: Total = field(default_factory=Total)
    queue: Total = field(default_factory=Total)
    inference: Total = field(default_factory=Total)
    images: int = 0
    batches: dict[int, CallTotal] = field(default_factory=dict)
    last_s: float = 0.0

    def request(self) -> "_Request":
        """Counts a request by how it ends; one whose caller goes away counts as neither."""
        return _Request(self)

    def add_scores(self, images: int, queue_s: float, inference_s: float) -> None:
        """Counts the scores of one request."""
        self.images += images
        self.queue.add(queue_s)
        self.inference.add(inference_s)

    def add_batch(self, images: int, seconds: float) -> None:
        """Counts one engine call."""
        try:
            total = self.batches[images]
        except KeyError:
            total = self.batches[images] = CallTotal()
        total.add(seconds)


class _Request:
    """See `VersionStatistics.request`; a class because that costs less than a generator."""

    __slots__ = ("_done", "_started")

    def __init__(self, done: VersionStatistics) -> None:
        self._done = done
        self._started = time.perf_counter()

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        seconds = time.perf_counter() - self._started
        if kind is None:
            self._done.success.add(seconds)
            self._done.last_s = time.time()
        elif issubclass(kind, Exception):
            self._done.failure.add(seconds)
            self._done.faults += not issubclass(kind, SaccadeError)
