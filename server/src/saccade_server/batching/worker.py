"""The thread in which an engine works."""

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from saccade_server.cpus import step_back
from saccade_server.engines import Engine

Values = NDArray[np.uint8 | np.float32]


class Outcome(NamedTuple):
    """How an engine call ended. Times are those of the monotonic clock, in seconds."""

    probabilities: NDArray[np.float32] | None
    error: Exception | None
    started: float
    finished: float


class Job(NamedTuple):
    """A batch for a worker.

    Attributes:
        parts: Each of shape (n, H, W, C); together they are the batch.
        done: Called in the event loop's thread when it has ended.
        more: Called in the worker's thread when it has ended: the next one, or None.
    """

    parts: list[Values]
    done: Callable[[Outcome], None]
    more: Callable[[], "Job | None"]


class EngineWorker:
    """Runs the calls of one engine, one after the other, in a thread of its own.

    Owns the engine and closes it. Its methods are called from the event loop's thread.
    A worker that has ended a job asks for the next one itself: the loop may be busy for
    milliseconds before it could hand one out.

    Args:
        engine: Not used by anybody else.
        name: Of the thread.
        niceness: By which the thread is behind the event loop's; see `step_back`.
    """

    def __init__(self, engine: Engine, *, name: str, niceness: int = 0) -> None:
        self.bounded = engine.bounded
        self._engine = engine
        self._niceness = niceness
        self._loop = asyncio.get_running_loop()
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._runner = threading.Thread(target=self._run, name=name, daemon=True)
        self._runner.start()

    def start(self, job: Job) -> None:
        """Runs a job, and those that its `more` gives; returns at once."""
        self._jobs.put(job)

    def run(self, job: Job) -> None:
        """Runs a job in the caller's thread, which is the loop's; no other one may be under way.

        The job's `done` has been called when it returns; its `more` is not.
        """
        job.done(self._call(job.parts))

    async def close(self) -> None:
        """Waits for the calls under way and frees the engine."""
        self._jobs.put(None)
        await asyncio.to_thread(self._runner.join)
        self._engine.close()

    def _run(self) -> None:
        step_back(self._niceness)
        while (job := self._jobs.get()) is not None:
            following: Job | None = job
            while following is not None:
                job = following
                outcome = self._call(job.parts)
                following = job.more()
                self._loop.call_soon_threadsafe(job.done, outcome)

    def _call(self, parts: list[Values]) -> Outcome:
        started = time.monotonic()
        try:
            images = parts[0] if len(parts) == 1 else np.concatenate(parts)
            probabilities = self._engine.predict(images)
        except Exception as error:  # noqa: BLE001 - whatever an engine does, its thread goes on
            return Outcome(None, error, started, time.monotonic())
        return Outcome(probabilities, None, started, time.monotonic())
