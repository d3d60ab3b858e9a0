"""The queue in front of a version's engines.

Work-conserving: an idle engine waits for nothing but what is at the door. A batch is what queued
while the engines were busy, up to a maximum, or to where images get no cheaper; there is no delay
to tune. The batcher knows from experience what a call costs, so it refuses at the door what cannot
meet its deadline.

All of it runs in the event loop's thread but `_more`, by which an engine's thread takes its next
batch out of the line itself. Requests of a swift graph that come one by one do not even leave the
loop's thread; where an engine call takes all processors, those that come together do not either.
Where processors are few, that thread runs a part of a great crowd.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from saccade_server.batching.announced import Announced
from saccade_server.batching.answering import answer, fail, join
from saccade_server.batching.bounds import BatchingConfig
from saccade_server.batching.crew import Crew, Pair, Worker
from saccade_server.batching.door import Door, Refusal
from saccade_server.batching.fairness import Shares
from saccade_server.batching.gathering import CALL_S, Gathering
from saccade_server.batching.line import (
    LIGHT_IMAGES,
    SWIFT_S,
    Entry,
    Scores,
    Taken,
    Turn,
    WaitingLine,
)
from saccade_server.batching.worker import Job, Outcome, Values
from saccade_server.errors import DeadlineExceeded, Overloaded, Unavailable
from saccade_server.metrics import Metrics

Done = Callable[[Worker, list[Entry], Outcome], None]
"""What to do when a worker's call for a batch has ended."""


class Batcher:
    """Puts requests together into batches for a set of workers.

    Args:
        workers: At least one; the batcher owns and closes them.
        config: Bounds.
        metrics: Where batches and refusals are counted.
        model: The metrics' label.
        version: With the model, whose batches these are.
        wide: One more, for a batch that has the processors to itself; see `Crew`.
        announced: Calls that requests will come by; None: nobody tells.
        clock: Monotonic seconds; called from every thread.
    """

    def __init__(
        self,
        workers: list[Worker],
        config: BatchingConfig,
        metrics: Metrics,
        *,
        model: str,
        version: int,
        wide: Worker | None = None,
        announced: Announced | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._crew = Crew(workers, wide)
        self._config = config
        self._clock = clock
        self._line = WaitingLine(
            config.max_batch_images,
            config.enough_images or config.max_batch_images,
            fair=config.fair,
            few=config.few,
        )
        self._shares = Shares(config.max_queue_images) if config.fair else None
        self._door = Door(
            self._line,
            self._crew,
            self._shares,
            max_queue_images=config.max_queue_images,
            clock=clock,
        )
        self._reserved_images = 0
        self._told_images = 0
        self._unanswered: set[Entry] = set()
        self._progress = clock()
        self._closing = False
        self._announced = announced or Announced(clock)
        self._gathering = Gathering(self._announced, clock)
        self._metrics_batch = metrics.batch_images.labels(model)
        self._metrics_queue = metrics.queue_images.labels(model)
        self._metrics_rejected = metrics.rejected
        self._done = metrics.statistics(model, str(version))

    async def submit(
        self,
        images: Values,
        *,
        deadline: float | None = None,
        urgent: bool = False,
        client: str = "",
        alone: bool = False,
    ) -> Scores:
        """Runs the images of one request.

        A cancelled call leaves the queue; what an engine has begun is finished and thrown away.

        Args:
            images: Shape (n, H, W, C), n >= 1, values as the graph takes them. Must be valid:
                nothing is checked from here on. More than a batch holds are split and joined.
            deadline: On `clock`.
            urgent: Goes before everything that is not.
            client: Whose request it is, where clients get equal shares.
            alone: Whether no other one is under way, as far as the caller knows: it need not wait
                for the end of the loop's turn.

        Raises:
            Overloaded: The queue is full, or the deadline cannot be met.
            DeadlineExceeded: The deadline passed; nothing was computed.
            Unavailable: The batcher is being closed.
            EngineError: The engine failed on this very request.
        """
        turn = Turn.URGENT if urgent else Turn.USUAL
        self._admit(len(images), deadline, client)
        if self._shares is None:
            return await self._run(images, deadline, turn, alone=alone)
        with self._hold(self._shares, client, len(images)) as name:
            return await self._run(images, deadline, turn, name, alone=alone)

    async def submit_spare(self, images: Values) -> Scores:
        """Runs images for whose answer nobody waits, if there is nothing else to do.

        What comes meanwhile goes first, but for the engine call that has begun. They do not count
        as waiting: nobody is refused for them.

        Raises:
            Overloaded: There is something else to do.
            EngineError: The engine failed.
        """
        if self._closing or not self.idle:
            raise Overloaded("there is other work")
        return await self._run(images, None, Turn.SPARE)

    @contextmanager
    def reserve(
        self, images: int, *, deadline: float | None = None, client: str = ""
    ) -> Iterator[None]:
        """Holds room for images that are still being decoded.

        So overload is answered before decoding is paid for, and images that are being decoded
        count as queued: their number is bounded too.

        Raises:
            SaccadeError: As `submit`.
        """
        self._admit(images, deadline, client)
        self._reserved_images += images
        self._tell_queue()
        try:
            if self._shares is None:
                yield
            else:
                with self._hold(self._shares, client, images):
                    yield
        finally:
            self._reserved_images -= images
            self._tell_queue()

    def refusal(
        self, images: int, *, coming: int = 0, deadline: float | None = None, client: str = ""
    ) -> Refusal | None:
        """What `submit` would refuse so many images with if they came now; None: it would not.

        Nothing is counted. Those that come later, whatever holds them up, are not ready earlier.

        Args:
            images: Of the request.
            coming: More that were let through and not submitted; the same client's, where clients
                get equal shares.
            deadline: On `clock`.
            client: Whose they are.
        """
        if self._closing:
            return Refusal("", Unavailable("this version is being unloaded: try again"))
        return self._door.refusal(
            images,
            queued=self.queued_images,
            coming=coming,
            deadline=deadline,
            client=client,
        )

    def count_refusal(self, reason: str) -> None:
        """Counts a request that was refused for that reason."""
        if reason:
            self._metrics_rejected.labels(reason).inc()

    @property
    def queued_images(self) -> int:
        """Images that wait for an engine, or will when they are decoded."""
        return self._line.images + self._reserved_images

    @property
    def idle(self) -> bool:
        """Whether no image waits, is being decoded or is being run."""
        return self._crew.idle and not self.queued_images

    @property
    def stalled_s(self) -> float:
        """Seconds without progress while there was work; 0 without work."""
        return self._clock() - self._progress if self._unanswered else 0.0

    def expect_s(self, images: int) -> float:
        """Expected seconds of an engine call of so many images; 0 while nothing is known."""
        return self._line.expect_s(images)

    async def close(self) -> None:
        """Refuses new requests, finishes those that are queued, closes the workers."""
        self._closing = True
        await asyncio.gather(*[entry.answer for entry in self._unanswered], return_exceptions=True)
        await self._crew.close()

    @contextmanager
    def _hold(self, shares: Shares, client: str, images: int) -> Iterator[str]:
        """Counts images as a client's; gives the name under which it is counted."""
        name = shares.name(client)
        shares.hold(name, images)
        try:
            yield name
        finally:
            shares.drop(name, images)

    def _admit(self, images: int, deadline: float | None, client: str) -> None:
        """Refuses now what would fail later."""
        if refusal := self.refusal(images, deadline=deadline, client=client):
            self.count_refusal(refusal.reason)
            raise refusal.error

    async def _run(
        self,
        images: Values,
        deadline: float | None,
        turn: Turn,
        client: str = "",
        *,
        alone: bool = False,
    ) -> Scores:
        """Queues images and waits for their scores."""
        most = self._config.max_batch_images
        if len(images) <= most:
            worker = self._free_for(len(images)) if alone else None
            entry = self._enter(images, deadline, turn, client)
            if worker is not None:
                self._run_at_once(worker, entry)
            else:
                self._put(entry)
                self._see_to(turn)
            try:
                return await entry.answer
            finally:
                self._forget(entry)
        # All parts are queued at once: no later request gets between them or past the bound.
        entries = [
            self._enter(images[start : start + most], deadline, turn, client)
            for start in range(0, len(images), most)
        ]
        for entry in entries:
            self._put(entry)
        self._dispatch()
        answers = [entry.answer for entry in entries]
        try:
            return join(await asyncio.gather(*answers))
        finally:
            # Where one part failed, the others have become useless.
            for entry in entries:
                if not entry.answer.done():
                    entry.answer.cancel()
                self._forget(entry)

    def _enter(self, images: Values, deadline: float | None, turn: Turn, client: str) -> Entry:
        """Takes on at most a batch of images."""
        now = self._clock()
        if not self._unanswered:
            self._progress = now
        promise = asyncio.get_running_loop().create_future()
        entry = Entry(images, deadline, turn, now, False, promise, client)
        self._unanswered.add(entry)
        return entry

    def _put(self, entry: Entry) -> None:
        """Queues what was taken on."""
        entry.waited = self._line.images > 0 or not self._crew.available
        self._line.put(entry)

    def _see_to(self, turn: Turn) -> None:
        """Has what was queued run, now or with what else comes."""
        if self._gathering.on:
            self._gathering.come()
        elif self._pair:
            self._gather()
        elif turn is Turn.SPARE or not self._gathers:
            lone = self._swift and self._crew.lone and self._crew.idle
            self._gather() if lone else self._dispatch()
        elif self._crew.idle:
            self._gather()
        else:
            self._tell_queue()  # `_finish` gathers it.

    def _forget(self, entry: Entry) -> None:
        """Its caller knows the answer, or does not wait for it any more."""
        self._unanswered.discard(entry)
        self._door.learn(entry)
        if entry.waiting:
            self._line.leave(entry)
            self._tell_queue()

    @property
    def _swift(self) -> bool:
        """Whether a call is soon done, whatever the images."""
        return self._crew.bounded and self._line.swift

    @property
    def _gathers(self) -> bool:
        """Whether what waits is best gathered and run in the loop's thread, once no call runs.

        May be called from any thread.
        """
        return self._config.gather and self._crew.bounded and self._line.calm

    @property
    def _most_here(self) -> int:
        """Images that a call in the loop's thread may have: no crowd makes it a long one."""
        most = self._config.max_batch_images
        while most > 1 and self._line.expect_s(most, wide=True) > CALL_S:
            most //= 2
        return most

    def _gather(self) -> None:
        """Lets the loop end its turn first, and go on while more comes: that is one batch."""
        if not self._gathering.on:
            self._gathering.begin(self._most_here)
            asyncio.get_running_loop().call_soon(self._end_turn)

    def _free_for(self, images: int) -> Worker | None:
        """Who runs a request in this thread; None: it is not the only one, or not soon done."""
        if self._unanswered or not self._crew.idle or not self._comes_alone or not self._swift:
            return None
        if self._line.expect_s(images, wide=True) >= SWIFT_S:
            return None
        return self._crew.next(crowd=False)

    @property
    def _comes_alone(self) -> bool:
        """Whether requests come one by one."""
        return self._crew.lone and not self._announced.any()

    def _run_at_once(self, worker: Worker, entry: Entry) -> None:
        """Runs a request in this thread, past the line.

        It is answered when this returns. The rest of what the end of a call asks for follows in
        the loop's next turn, when the answer has left.
        """
        loop = asyncio.get_running_loop()
        worker.run(self._job(worker, [entry], loop, done=self._answer_first))

    def _answer_first(self, worker: Worker, batch: list[Entry], outcome: Outcome) -> None:
        """Answers a batch's requests now, and does all the rest of `_finish` later."""
        if outcome.probabilities is None:
            self._finish(worker, batch, outcome)
        else:
            answer(batch, outcome.probabilities, outcome)
            asyncio.get_running_loop().call_soon(self._settle, worker, batch, outcome)

    def _end_turn(self) -> None:
        """Runs what waits, in this thread if that is soon done, unless more may come."""
        alone = self._comes_alone and len(self._unanswered) == 1
        pair = self._pair
        if (self._config.gather or pair) and not alone and self._gathering.turn(self._line.images):
            asyncio.get_running_loop().call_soon(self._end_turn)
            return
        self._gathering.end()
        if pair:
            self._share(pair)
            return
        swift = alone and self._line.expect_s(self._line.images, wide=True) < SWIFT_S
        self._dispatch(here=self._crew.idle and (swift or self._gathers))

    def _dispatch(self, *, here: bool = False) -> None:
        """Gives work to idle workers while there is any, or runs a batch in this thread."""
        while worker := self._crew.next(crowd=self._line.crowded and not here):
            job = self._take(worker, self._most_here if here else None)
            if job is None:
                break
            if here:
                worker.run(job)
                break
            worker.start(job)
        self._tell_queue()

    @property
    def _pair(self) -> Pair | None:
        """Who runs what waits in two threads, this one among them, if that is best."""
        pair = self._crew.pair(begin=self._line.swamped)
        return pair if pair and self._line.serial else None

    def _share(self, pair: Pair) -> None:
        """Runs a small batch in this thread, beside a full one."""
        if self._crew.idle and (job := self._take(pair.aside, self._config.max_batch_images)):
            pair.aside.start(job)
        if job := self._take(pair.here, LIGHT_IMAGES):
            pair.here.run(job)
        self._tell_queue()

    def _take(self, worker: Worker, most: int | None) -> Job | None:
        """A batch for a worker, if one waits."""
        taken = self._line.take(self._clock(), most=most)
        self._drop(taken)
        return self._job(worker, taken.batch, asyncio.get_running_loop()) if taken.batch else None

    def _job(
        self,
        worker: Worker,
        batch: list[Entry],
        loop: asyncio.AbstractEventLoop,
        *,
        done: Done | None = None,
    ) -> Job:
        images = sum(len(entry.images) for entry in batch)
        expected_s = self._line.expect_s(images, wide=self._crew.is_wide(worker))
        self._crew.begin(worker, batch, self._clock() + expected_s)
        return Job(
            parts=[entry.images for entry in batch],
            done=partial(done or self._finish, worker, batch),
            more=partial(self._more, worker, loop),
        )

    def _more(self, worker: Worker, loop: asyncio.AbstractEventLoop) -> Job | None:
        """The worker's next batch, if one waits. Called in the worker's own thread."""
        most = None
        if self._line.serial and self._crew.is_aside(worker):
            most = self._config.max_batch_images
            if not self._line.full:
                return None  # The pair is no longer needed.
        elif self._gathers:
            return None  # `_finish` gathers it.
        elif self._crew.is_wide(worker) and (self._line.crowded or self._line.swamped):
            return None  # `_finish` gives others what waits.
        taken = self._line.take(self._clock(), most=most)
        if taken.gone or taken.late:
            loop.call_soon_threadsafe(self._drop, taken)
        if not taken.batch:
            # Should a request come before the loop knows that the worker is idle: `_finish`
            # follows and looks again.
            return None
        return self._job(worker, taken.batch, loop)

    def _drop(self, taken: Taken) -> None:
        """Answers what left the line too late."""
        for _ in taken.gone:
            self._metrics_rejected.labels("cancelled").inc()
        for entry in taken.late:
            self._metrics_rejected.labels("deadline").inc()
            if not entry.answer.done():
                entry.answer.set_exception(
                    DeadlineExceeded("the deadline passed while the images were queued")
                )

    def _finish(self, worker: Worker, batch: list[Entry], outcome: Outcome) -> None:
        """Answers a batch's requests, and settles its call."""
        if outcome.probabilities is not None:
            answer(batch, outcome.probabilities, outcome)
        self._settle(worker, batch, outcome)

    def _settle(self, worker: Worker, batch: list[Entry], outcome: Outcome) -> None:
        """Learns from a call, and gives the worker work if it found none itself."""
        now = self._progress = self._clock()
        self._metrics_batch.observe(sum(len(entry.images) for entry in batch))
        if outcome.probabilities is None and len(batch) > 1:
            # One of them may be guilty: each gets a call of its own before anything else.
            self._line.put_suspects(batch)
        elif outcome.probabilities is None:
            fail(batch[0], outcome.error)
        else:
            images, seconds = len(outcome.probabilities), outcome.finished - outcome.started
            wide = self._crew.is_wide(worker)
            self._line.learn(images, seconds, now - outcome.finished, wide=wide)
            self._done.add_batch(images, seconds)
        self._crew.end(worker, batch)
        if self._line.images and self._pair:
            self._gather()
        elif not (self._line.images and self._gathers):
            self._dispatch()
        elif self._crew.idle:
            self._gather()

    def _tell_queue(self) -> None:
        queued = self.queued_images
        self._metrics_queue.inc(queued - self._told_images)
        self._told_images = queued
