"""The workers of one version, and which of them takes the next batch."""

from typing import NamedTuple, Protocol

from saccade_server.batching.line import Entry
from saccade_server.batching.worker import Job

LONE_BATCHES = 4
"""So many batches of one request, one after the other, tell that requests come one by one."""


class Worker(Protocol):
    """What runs one batch at a time; see `EngineWorker`."""

    @property
    def bounded(self) -> bool:
        """See `Engine.bounded`."""

    def start(self, job: Job) -> None:
        """Runs a job, and those that its `more` gives; see `Job`."""

    def run(self, job: Job) -> None:
        """Runs a job in the caller's thread."""

    async def close(self) -> None:
        """Waits for the batch under way."""


class Pair(NamedTuple):
    """Workers of which one runs batches in its thread and the other one some in the loop's.

    Attributes:
        aside: Has full batches, one straight after the other.
        here: Has small ones whenever the loop has nothing else to do.
    """

    aside: Worker
    here: Worker


class Crew:
    """Workers that run batches side by side, and perhaps one that runs a batch by itself.

    That one, the wide worker, has all processors, so a lone batch is done sooner on it than on one
    of the others. Several batches are done sooner side by side, each on its own processor: nothing
    waits for the slowest part of a call there. The wide worker never runs beside others. Whether
    what waits makes several is the line's to say (`WaitingLine.crowded`). On few processors two of
    the others may be used as a pair: of three threads one would always wait for a processor.

    `begin` is called in the thread of the loop or of the worker, everything else in the loop's.

    Args:
        workers: At least one.
        wide: None: there is none.
    """

    def __init__(self, workers: list[Worker], wide: Worker | None = None) -> None:
        self._workers = list(workers)
        self._free = list(workers)
        self._wide = wide
        self._pair = Pair(workers[0], workers[1]) if len(workers) > 1 else None
        self._running: dict[Worker, tuple[list[Entry], float]] = {}  # Batch, expected end.
        self._bounded = all(worker.bounded for worker in self._all)
        self._lone_batches = 0

    @property
    def idle(self) -> bool:
        """Whether no batch is run."""
        return not self._running

    @property
    def bounded(self) -> bool:
        """Whether no call can go on for ever."""
        return self._bounded

    @property
    def lone(self) -> bool:
        """Whether requests come one by one."""
        return self._lone_batches >= LONE_BATCHES

    @property
    def available(self) -> bool:
        """Whether a batch would be started at once."""
        return bool(self._free) and self._wide not in self._running

    def is_wide(self, worker: Worker) -> bool:
        """Whether it is the one that runs batches by itself."""
        return worker is self._wide

    def is_aside(self, worker: Worker) -> bool:
        """Whether it is that one of a pair."""
        return self._pair is not None and worker is self._pair.aside

    def pair(self, *, begin: bool) -> Pair | None:
        """Two that may run batches now in their two ways, if there are.

        Args:
            begin: Whether enough waits for both of them to begin.
        """
        if not self._bounded or self._pair is None:
            return None
        aside, here = self._pair
        if aside in self._running:
            return None if here in self._running else self._pair
        return self._pair if begin and not self._running else None

    def next(self, *, crowd: bool) -> Worker | None:
        """Who takes the next batch, or None: all that may are busy.

        Args:
            crowd: Whether more than this batch waits.
        """
        if not self.available:
            return None
        if self._wide is not None and not self._running and not crowd:
            return self._wide
        return self._free[-1]

    def begin(self, worker: Worker, batch: list[Entry], expected_end: float) -> None:
        """A worker has a batch, perhaps straight after another one."""
        self._running[worker] = batch, expected_end
        if worker in self._free:
            self._free.remove(worker)

    def end(self, worker: Worker, batch: list[Entry]) -> None:
        """A batch is done; its worker is free, unless it has begun the next one."""
        self._lone_batches = self._lone_batches + 1 if len(batch) == 1 else 0
        if self._running[worker][0] is batch:
            del self._running[worker]
            if worker is not self._wide:
                self._free.append(worker)

    def wait_s(self, now: float, behind_s: float, *, in_turns: bool) -> float:
        """Expected seconds until a worker is free.

        Args:
            now: On the clock of the expected ends.
            behind_s: Seconds of calls that are to be run before.
            in_turns: Whether the wide worker runs them, if there is one: one after the other.
        """
        left = 0.0
        if not self.available:
            left = sum(max(0.0, end - now) for _, end in self._running.values())
            if self._wide not in self._running:
                left /= len(self._workers)
        return left + behind_s / (1 if in_turns and self._wide else len(self._workers))

    async def close(self) -> None:
        """Closes all."""
        for worker in self._all:
            await worker.close()

    @property
    def _all(self) -> list[Worker]:
        return self._workers if self._wide is None else [*self._workers, self._wide]
