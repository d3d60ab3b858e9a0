"""The queue in front of a version's engines.

Work-conserving: an idle engine never waits. A batch is whatever queued while the engines were
busy, up to a maximum; there is no delay to tune. The batcher knows from experience what a call
costs, so it refuses at the door what cannot meet its deadline.

Everything runs in the event loop's thread; only `Worker.start` hands work to other threads.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from saccade_server.batching.cost import CostModel
from saccade_server.batching.worker import Done, Outcome, Values
from saccade_server.errors import ConfigError, DeadlineExceeded, Overloaded, Unavailable
from saccade_server.metrics import Metrics

LEAST_RETRY_S = 0.01
"""A refused caller is never told to come back now, even while the engine's pace is not known."""


class Worker(Protocol):
    """What runs one batch at a time; see `EngineWorker`."""

    def start(self, parts: list[Values], done: Done) -> None:
        """Runs the parts as one batch and calls `done` in the event loop's thread."""

    async def close(self) -> None:
        """Waits for the batch under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchingConfig:
    """Bounds of the queue."""

    max_batch_images: int = 32
    max_queue_images: int = 1024

    def __post_init__(self) -> None:
        """Checks the ranges."""
        if self.max_batch_images < 1:
            raise ConfigError(f"max_batch_images must be at least 1, got {self.max_batch_images}")
        if self.max_queue_images < 1:
            raise ConfigError(f"max_queue_images must be at least 1, got {self.max_queue_images}")


class Scores(NamedTuple):
    """The answer to one request.

    Attributes:
        probabilities: Shape (n, K), in the order of the request's images.
        queue_s: Seconds until the first of its batches started.
        inference_s: Seconds of the engine calls that it was part of.
        batch_images: Images in the largest of these calls.
    """

    probabilities: NDArray[np.float32]
    queue_s: float
    inference_s: float
    batch_images: int


@dataclass(slots=True, eq=False)
class _Entry:
    """A request, or a batch-sized part of a large one, in the queue."""

    images: Values
    deadline: float | None
    queued: float
    answer: asyncio.Future[Scores]
    waited: bool
    waiting: bool = field(default=True)


_Key = tuple[bool, tuple[int, ...]]
"""What may share a batch: urgent or not, and the shape of an image."""


class Batcher:
    """Puts requests together into batches for a set of workers.

    Args:
        workers: At least one; the batcher owns and closes them.
        config: Bounds.
        metrics: Where batches and refusals are counted.
        model: The metrics' label.
        version: With the model, whose batches these are.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        workers: list[Worker],
        config: BatchingConfig,
        metrics: Metrics,
        *,
        model: str,
        version: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._workers = workers
        self._idle = list(workers)
        self._config = config
        self._clock = clock
        self._cost = CostModel()
        self._queues: dict[_Key, deque[_Entry]] = {}
        self._suspects: deque[_Entry] = deque()
        self._entries: set[_Entry] = set()
        self._queued_images = 0
        self._running: dict[Worker, float] = {}
        self._progress = clock()
        self._handover_s = 0.0  # From an engine's result to its use here, on average.
        self._closing = False
        self._metrics_batch = metrics.batch_images.labels(model)
        self._metrics_queue = metrics.queue_images.labels(model)
        self._metrics_rejected = metrics.rejected
        self._done = metrics.statistics(model, str(version))

    async def submit(
        self, images: Values, *, deadline: float | None = None, urgent: bool = False
    ) -> Scores:
        """Runs the images of one request.

        A cancelled call leaves the queue; what an engine has begun is finished and thrown away.

        Args:
            images: Shape (n, H, W, C), n >= 1, values as the graph takes them. Must be valid:
                nothing is checked from here on. More than a batch holds are split and joined.
            deadline: On `clock`.
            urgent: Goes before everything that is not.

        Raises:
            Overloaded: The queue is full, or the deadline cannot be met.
            DeadlineExceeded: The deadline passed; nothing was computed.
            Unavailable: The batcher is being closed.
            EngineError: The engine failed on this very request.
        """
        self._admit(len(images), deadline)
        most = self._config.max_batch_images
        # All parts are queued at once: no later request gets between them or past the bound.
        entries = [
            self._enqueue(images[start : start + most], deadline, urgent)
            for start in range(0, len(images), most)
        ]
        self._dispatch()
        answers = [entry.answer for entry in entries]
        try:
            return await answers[0] if len(answers) == 1 else _join(await asyncio.gather(*answers))
        finally:
            # Where one part failed, the others have become useless.
            for entry in entries:
                entry.answer.cancel()
                self._leave(entry)
                self._entries.discard(entry)

    @contextmanager
    def reserve(self, images: int, *, deadline: float | None = None) -> Iterator[None]:
        """Holds room for images that are still being decoded.

        So overload is answered before decoding is paid for, and images that are being decoded
        count as queued: their number is bounded too.

        Raises:
            SaccadeError: As `submit`.
        """
        self._admit(images, deadline)
        self._count(images)
        try:
            yield
        finally:
            self._count(-images)

    @property
    def queued_images(self) -> int:
        """Images that wait for an engine, or will when they are decoded."""
        return self._queued_images

    @property
    def stalled_s(self) -> float:
        """Seconds without progress while there was work; 0 without work."""
        return self._clock() - self._progress if self._entries else 0.0

    async def close(self) -> None:
        """Refuses new requests, finishes those that are queued, closes the workers."""
        self._closing = True
        await asyncio.gather(*(entry.answer for entry in self._entries), return_exceptions=True)
        for worker in self._workers:
            await worker.close()

    def _admit(self, images: int, deadline: float | None) -> None:
        """Refuses now what would fail later."""
        if self._closing:
            raise Unavailable("this version is being unloaded: try again")
        room = self._config.max_queue_images - self._queued_images
        # A lone request larger than the queue would never get in: it may when nothing waits.
        if images > room and self._queued_images:
            self._metrics_rejected.labels("queue_full").inc()
            wait = self._wait_s(self._clock())
            raise Overloaded(
                f"{self._queued_images} images are waiting, "
                f"at most {self._config.max_queue_images} may: try again later",
                retry_after_s=max(wait, LEAST_RETRY_S),
            )
        if deadline is None:
            return
        now = self._clock()
        if deadline <= now:
            self._metrics_rejected.labels("deadline").inc()
            raise DeadlineExceeded("the deadline passed before the images were queued")
        wait = self._wait_s(now)
        needed = wait + self._cost(images)
        if wait and now + needed * self._cost.margin + self._handover_s > deadline:
            self._metrics_rejected.labels("deadline_unreachable").inc()
            raise Overloaded(
                f"the answer would take about {needed:.3f} s, "
                f"the deadline leaves {deadline - now:.3f} s: try again later",
                retry_after_s=wait,
            )

    def _wait_s(self, now: float) -> float:
        """Expected seconds until a request that is queued now reaches an engine."""
        if self._idle:
            return 0.0
        running = sum(max(0.0, end - now) for end in self._running.values())
        full, rest = divmod(self._queued_images, self._config.max_batch_images)
        queued = full * self._cost(self._config.max_batch_images) + self._cost(rest)
        return (running + queued) / len(self._workers)

    def _enqueue(self, images: Values, deadline: float | None, urgent: bool) -> _Entry:
        """Queues at most a batch of images."""
        now = self._clock()
        if not self._entries:
            self._progress = now
        answer = asyncio.get_running_loop().create_future()
        entry = _Entry(images, deadline, now, answer, waited=not self._idle)
        key = (not urgent, images.shape[1:])
        self._queues.setdefault(key, deque()).append(entry)
        self._entries.add(entry)
        self._count(len(images))
        return entry

    def _leave(self, entry: _Entry) -> None:
        """Takes an entry out of the count: it runs now, or its caller has gone."""
        if entry.waiting:
            entry.waiting = False
            self._count(-len(entry.images))

    def _count(self, images: int) -> None:
        self._queued_images += images
        self._metrics_queue.inc(images)

    def _dispatch(self) -> None:
        """Gives work to idle workers while there is any."""
        while self._idle and (entries := self._take()):
            worker = self._idle.pop()
            images = sum(len(entry.images) for entry in entries)
            self._running[worker] = self._clock() + self._cost(images)
            self._metrics_batch.observe(images)
            parts = [entry.images for entry in entries]
            worker.start(parts, partial(self._finish, worker, entries))

    def _take(self) -> list[_Entry]:
        """The next batch: whole entries of one shape, oldest first, urgent ones before others."""
        now = self._clock()
        while self._suspects:
            suspect = self._suspects.popleft()
            if self._is_due(suspect, now):
                return [suspect]
        batch: list[_Entry] = []
        room = self._config.max_batch_images
        shape: tuple[int, ...] | None = None
        for key in sorted(self._queues, key=self._turn):
            if shape is not None and key[1] != shape:
                continue
            queue = self._queues[key]
            while queue and len(queue[0].images) <= room and self._fits(queue[0], batch, now):
                entry = queue.popleft()
                if self._is_due(entry, now):
                    shape = key[1]
                    room -= len(entry.images)
                    batch.append(entry)
            if not queue:
                del self._queues[key]
        return batch

    def _fits(self, entry: _Entry, batch: list[_Entry], now: float) -> bool:
        """Whether a batch that has this entry too still is in time for all in it.

        All of a batch is answered at its end: whoever joins it makes the others wait.
        """
        if not batch:
            return True
        images = len(entry.images) + sum(len(each.images) for each in batch)
        end = now + self._cost(images) * self._cost.margin + self._handover_s
        return all(each.deadline is None or end <= each.deadline for each in (*batch, entry))

    def _turn(self, key: _Key) -> tuple[bool, float]:
        return key[0], self._queues[key][0].queued

    def _is_due(self, entry: _Entry, now: float) -> bool:
        """Whether an entry leaving the queue is worth computing; answers it if it is late."""
        self._leave(entry)
        if entry.answer.done():
            self._metrics_rejected.labels("cancelled").inc()
            return False
        # One that found an idle engine is tried, whatever we expect: that keeps us from believing
        # for good in a cost that was high once.
        needed = self._cost(len(entry.images)) if entry.waited else 0.0
        if entry.deadline is not None and entry.deadline <= now + needed:
            self._metrics_rejected.labels("deadline").inc()
            entry.answer.set_exception(
                DeadlineExceeded("the deadline passed while the images were queued")
            )
            return False
        return True

    def _finish(self, worker: Worker, entries: list[_Entry], outcome: Outcome) -> None:
        """Answers a batch's requests and gives the worker the next one."""
        del self._running[worker]
        self._idle.append(worker)
        self._progress = self._clock()
        self._handover_s += 0.1 * (self._progress - outcome.finished - self._handover_s)
        if outcome.probabilities is None and len(entries) > 1:
            # One of them may be guilty: each gets a call of its own before anything else.
            self._suspects.extend(entries)
        elif outcome.probabilities is None:
            _fail(entries[0], outcome.error)
        else:
            images = len(outcome.probabilities)
            seconds = outcome.finished - outcome.started
            self._cost.observe(images, seconds)
            self._done.add_batch(images, seconds)
            _answer(entries, outcome.probabilities, outcome)
        self._dispatch()


def _fail(entry: _Entry, error: Exception | None) -> None:
    if not entry.answer.done():
        entry.answer.set_exception(error or RuntimeError("an engine call ended without a result"))


def _answer(entries: list[_Entry], probabilities: NDArray[np.float32], outcome: Outcome) -> None:
    start = 0
    for entry in entries:
        end = start + len(entry.images)
        if not entry.answer.done():
            entry.answer.set_result(
                Scores(
                    probabilities[start:end],
                    outcome.started - entry.queued,
                    outcome.finished - outcome.started,
                    len(probabilities),
                )
            )
        start = end


def _join(parts: list[Scores]) -> Scores:
    """One answer from those of a split request."""
    return Scores(
        np.concatenate([part.probabilities for part in parts]),
        min(part.queue_s for part in parts),
        sum(part.inference_s for part in parts),
        max(part.batch_images for part in parts),
    )
