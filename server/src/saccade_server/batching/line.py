"""The images that wait, and which of them make the next batch.

The event loop puts requests in; an engine's thread takes the next batch the moment it has ended
one, without waiting for the loop's turn. So this, and only this, is shared between threads: a lock
guards it, and what belongs to the loop (futures, metrics) is told to it and not touched here.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from saccade_server.batching.cost import CostModel
from saccade_server.batching.fairness import FairQueue
from saccade_server.batching.pressure import Pressure
from saccade_server.batching.worker import Values

SWIFT_S = 0.0005
"""A graph is swift that takes less for an image, in seconds. A call that takes less is made in the
event loop's own thread if nothing else is to be done: the way to another thread and back would cost
the request nearly as much."""

LIGHT_IMAGES = 8
"""Of a small request, at most. The engine's call for a larger one is long enough for the loop to do
something else meanwhile."""


class Scores(NamedTuple):
    """The answer to one request.

    Attributes:
        probabilities: Shape (n, K), in the order of the request's images.
        queue_s: Seconds until the first of its batches started.
        inference_s: Seconds of the engine calls that it was part of.
        batch_images: Images in the largest of these calls.
        started: When the first of them started, on the monotonic clock.
    """

    probabilities: NDArray[np.float32]
    queue_s: float
    inference_s: float
    batch_images: int
    started: float = 0.0


class Turn(IntEnum):
    """Who goes first."""

    URGENT = 0
    USUAL = 1
    SPARE = 2
    """Nobody waits for it: when nothing else does, and in batches of its own."""


@dataclass(slots=True, eq=False)
class Entry:
    """A request, or a batch-sized part of a large one.

    Attributes:
        images: Shape (n, H, W, C).
        deadline: On the batcher's clock.
        turn: Goes before everything of a later one.
        queued: When it came, on the same clock.
        waited: Whether it found every engine busy.
        answer: For its caller; done before it is taken if the caller has gone.
        client: Whose it is, where clients get equal shares.
    """

    images: Values
    deadline: float | None
    turn: Turn
    queued: float
    waited: bool
    answer: asyncio.Future[Scores]
    client: str = ""
    waiting: bool = field(default=False)


class Taken(NamedTuple):
    """What left the line: the next batch, and what was dropped on the way to it."""

    batch: list[Entry]
    gone: list[Entry]
    late: list[Entry]


_Key = tuple[Turn, tuple[int, ...]]
"""By which entries wait together: their turn, and the shape of an image."""


class WaitingLine:
    """First in, first out within a turn, or clients in turns; a batch holds images of one shape.

    Every method may be called from any thread.

    Args:
        max_batch_images: In one batch; no entry has more.
        enough_images: In a batch, where entries have no more on average. In larger ones the engine
            and the event loop wait for each other.
        fair: Whether clients take turns.
        few: Whether processors are few; see `BatchingConfig`.

    Attributes:
        pressure: Whether requests come too fast; the door's to tell.
    """

    def __init__(
        self, max_batch_images: int, enough_images: int, *, fair: bool = False, few: bool = False
    ) -> None:
        self._max_batch_images = max_batch_images
        self._enough_images = enough_images
        self._few = few
        self.pressure = Pressure()
        self._lock = threading.Lock()
        self._make_queue: Callable[[], deque[Entry] | FairQueue] = (
            partial(FairQueue, max_batch_images) if fair else deque
        )
        self._queues: dict[_Key, deque[Entry] | FairQueue] = {}
        self._suspects: deque[Entry] = deque()
        self._cost = CostModel()
        self._wide_cost = CostModel()
        self.images = 0
        """That wait and are waited for."""
        self._entries = 0
        """Which have these images."""
        self.swift = False
        """Whether the graph is, as learned."""
        self.handover_s = 0.0
        """From the end of an engine's call to the answer of its requests, as learned."""

    @property
    def small(self) -> bool:
        """Whether batches of what waits need not be full.

        Large requests are not cut for it: each has one answer.
        """
        if self._enough_images == self._max_batch_images:
            return False
        return self.images <= self._entries * self._enough_images

    @property
    def light(self) -> bool:
        """Whether the requests that wait are small, on average, and above suspicion."""
        return self.images <= self._entries * LIGHT_IMAGES and not self._suspects

    @property
    def calm(self) -> bool:
        """Whether what waits is soon done, one batch after the other, by few processors.

        Batches side by side take the event loop's share of them, so that a crowd that a stall has
        left is not worked off, but stays. Under pressure it is the other way round: the loop, busy
        with requests that are refused, would keep a lone engine waiting.
        """
        return self.swift and self.light and not self.pressure.high

    @property
    def serial(self) -> bool:
        """Whether few processors are to work off what waits."""
        return self._few and self.calm

    @property
    def swamped(self) -> bool:
        """Whether so much waits that running one batch after the other wastes time.

        Between two batches the loop answers and reads, and leaves the other processor idle. Of less
        the last ones would be answered later: their batches have one processor each.
        """
        return self.images > 2 * self._max_batch_images

    @property
    def full(self) -> bool:
        """Whether a full batch waits."""
        return self.images >= self._max_batch_images

    @property
    def crowded(self) -> bool:
        """Whether more waits than a full batch holds, and is best run side by side."""
        return self.images > self._max_batch_images and not self.serial

    @property
    def in_turns(self) -> bool:
        """Whether the batches of what waits are best run one after the other."""
        return self.serial or (self.small and not self.crowded)

    @property
    def _most(self) -> int:
        """Images that the next batch may have."""
        return self._enough_images if self.small else self._max_batch_images

    def put(self, entry: Entry) -> None:
        """Lets an entry wait."""
        key = (entry.turn, entry.images.shape[1:])
        with self._lock:
            queue = self._queues.get(key)
            if queue is None:
                queue = self._queues[key] = self._make_queue()
            queue.append(entry)
            entry.waiting = True
            self._count(entry, 1)

    def put_suspects(self, entries: Iterable[Entry]) -> None:
        """Lets entries of a batch that failed wait: each alone, before all others."""
        with self._lock:
            self._suspects.extend(entries)

    def leave(self, entry: Entry) -> None:
        """Stops counting an entry whose caller has gone; it is passed over when its turn comes."""
        with self._lock:
            self._uncount(entry)

    def learn(self, images: int, seconds: float, handover_s: float, *, wide: bool = False) -> None:
        """Takes note of what an engine call cost, and of how long its answer was under way.

        Args:
            images: Of the call.
            seconds: That it took.
            handover_s: Until its requests were answered.
            wide: Whether it had all processors; see `Crew`.
        """
        with self._lock:
            (self._wide_cost if wide else self._cost).observe(images, seconds)
            self.swift = self._expect_s(images, wide=True) < images * SWIFT_S
            self.handover_s += 0.1 * (handover_s - self.handover_s)

    def expect_s(self, images: int, *, wide: bool = False) -> float:
        """Expected seconds of one call of that many images, on all processors or side by side.

        While nothing is known of the one, it is what is known of the other.
        """
        with self._lock:
            return self._expect_s(images, wide=wide)

    def expect_wait_s(self, images: int) -> float:
        """Expected seconds of engine calls for so many images that wait."""
        most, wide = self._most, self.in_turns
        full, rest = divmod(images, most)
        with self._lock:
            return full * self._expect_s(most, wide=wide) + self._expect_s(rest, wide=wide)

    def safe_s(self, seconds: float, caution: float = 1.0) -> float:
        """An expectation with the margin that past errors call for, and the way back.

        Args:
            seconds: Expected.
            caution: The least margin.
        """
        return seconds * max(caution, self._cost.margin) + self.handover_s

    def take(self, now: float, *, most: int | None = None) -> Taken:
        """The next batch: whole entries, as many as fit and as are in time together.

        All of a batch is answered at its end: whoever joins it makes the others wait. An entry
        that would be late even by itself is dropped, unless it found an idle engine: trying that
        keeps us from believing for good in a cost that was high once.

        Args:
            now: On the clock of the deadlines.
            most: Images that it may have; None: what is enough.
        """
        taken = Taken([], [], [])
        with self._lock:
            while self._suspects and not taken.batch:
                self._sort(self._suspects.popleft(), now, taken)
            if not taken.batch:
                self._fill(taken, now, self._most if most is None else most)
        return taken

    def _fill(self, taken: Taken, now: float, most: int) -> None:
        images, tightest = 0, float("inf")
        shape: tuple[int, ...] | None = None
        for key in sorted(self._queues, key=self._turn):
            if shape is not None and (key[1] != shape or key[0] is Turn.SPARE):
                continue
            queue = self._queues[key]
            while queue:
                entry = queue[0]
                together = images + len(entry.images)
                limit = min(tightest, float("inf") if entry.deadline is None else entry.deadline)
                if taken.batch and (together > most or not self._in_time(together, limit, now)):
                    break
                if self._sort(queue.popleft(), now, taken):
                    images, tightest, shape = together, limit, key[1]
            if not queue:
                del self._queues[key]

    def _expect_s(self, images: int, *, wide: bool = False) -> float:
        known = self._wide_cost(images) if wide else 0.0
        return known or self._cost(images) or self._wide_cost(images)

    def _in_time(self, images: int, deadline: float, now: float) -> bool:
        return deadline == float("inf") or now + self.safe_s(self._expect_s(images)) <= deadline

    def _sort(self, entry: Entry, now: float, taken: Taken) -> bool:
        """Puts an entry where it belongs; whether that is the batch."""
        self._uncount(entry)
        needed = self._expect_s(len(entry.images)) + self.handover_s if entry.waited else 0.0
        if entry.answer.done():
            taken.gone.append(entry)
        elif entry.deadline is not None and entry.deadline <= now + needed:
            taken.late.append(entry)
        else:
            taken.batch.append(entry)
            return True
        return False

    def _turn(self, key: _Key) -> tuple[Turn, float]:
        return key[0], self._queues[key][0].queued

    def _uncount(self, entry: Entry) -> None:
        if entry.waiting:
            entry.waiting = False
            self._count(entry, -1)

    def _count(self, entry: Entry, sign: int) -> None:
        if entry.turn is not Turn.SPARE:
            self.images += sign * len(entry.images)
            self._entries += sign
