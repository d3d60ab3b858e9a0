"""The first minutes of a new version: if it is clearly worse, the one before it comes back.

The one before stays loaded meanwhile, so that coming back takes no longer than a request; the model
takes the memory of two versions for as long. Each process judges by what it has seen itself.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from statistics import median

import numpy as np

from saccade_server.metrics import CallTotal, Metrics
from saccade_server.registry.comparison import SLOWER, compare_calls, compare_faults
from saccade_server.registry.rollout import Rollout
from saccade_server.registry.version import LoadedVersion, Version

log = logging.getLogger(__name__)

CHECK_S = 1.0
STALL_S = 15.0
"""Without progress for so long while work waits, a new version is taken to hang."""

TRIAL_CALLS = 9
TRIAL_S = 60.0
"""Bound for all of them."""

PAUSE_S = 30.0
"""Between two trials of the old version, which cost the traffic something."""

Calls = dict[int, CallTotal]


@dataclass(slots=True, kw_only=True, eq=False)
class _Candidate:
    """A version on probation.

    Attributes:
        version: It.
        before: What comes back.
        ends: When it has stood the test, on the clock.
        next_trial: When its time may be compared again.
    """

    version: Version
    before: Version
    ends: float
    next_trial: float = 0.0


class Probation:
    """Watches new versions and takes those away that are worse.

    Args:
        rollout: The versions.
        metrics: What they have done, and where it is counted that one was taken away.
        probation_s: How long; 0: nothing is watched.
        clock: Monotonic seconds.
        sleep: Waits for seconds.
    """

    def __init__(
        self,
        rollout: Rollout,
        metrics: Metrics,
        probation_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._rollout = rollout
        self._metrics = metrics
        self._probation_s = probation_s
        self._clock = clock
        self._sleep = sleep
        self._candidates: list[_Candidate] = []
        self._watching: asyncio.Task[None] | None = None

    def begin(self, version: Version) -> None:
        """Watches a version that is about to take over; called before it does."""
        older = [
            each
            for each in self._rollout.models.get(version.model, ())
            if each.ready and each.version < version.version
        ]
        if not older or not self._probation_s:
            return
        # One that is on probation itself has proved nothing yet.
        before = next(
            (each.before for each in self._candidates if each.version is older[0]), older[0]
        )
        ends = self._clock() + self._probation_s
        self._candidates.append(_Candidate(version=version, before=before, ends=ends))
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())

    def kept(self, model: str) -> set[int]:
        """The versions of a model that must stay because they may have to come back."""
        return {each.before.version for each in self._candidates if each.version.model == model}

    async def close(self) -> None:
        """Watches no longer."""
        self._candidates.clear()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def _watch(self) -> None:
        while self._candidates:
            await self._sleep(CHECK_S)
            for candidate in list(self._candidates):
                try:
                    done = self._has_ended(candidate) or await self._take_away(candidate)
                except Exception:
                    # The edge: the new version goes on, as if nobody had looked.
                    log.exception("model %s: a comparison failed", candidate.version.model)
                    done = True
                if done and candidate in self._candidates:
                    self._candidates.remove(candidate)

    def _has_ended(self, candidate: _Candidate) -> bool:
        """Whether there is nothing to decide any more."""
        version, before = candidate.version, candidate.before
        if not (version.ready and before.ready):
            return True
        if self._clock() < candidate.ends:
            return not self._rollout.traffic_of(version.model).rollback
        log.info("model %s version %d has stood the test", version.model, version.version)
        return True

    async def _take_away(self, candidate: _Candidate) -> bool:
        """Takes a version away if it is worse; whether it was."""
        new, old = candidate.version.ready, candidate.before.ready
        if new is None or old is None:
            return True
        done = self._metrics.statistics(new.model, str(new.version))
        before = self._metrics.statistics(old.model, str(old.version))
        if new.predictor.stalled_s > STALL_S:
            return self._roll_back(candidate, "stalled", f"no progress for {STALL_S:g} s")
        if text := compare_faults(done, before):
            return self._roll_back(candidate, "errors", text)
        if self._clock() >= candidate.next_trial:
            ratio = compare_calls(done.batches, old.predictor.expect_s)
            if ratio and (ratio := await self._compare_now(new, old)) >= SLOWER:
                text = f"its engine calls take {ratio:.1f} times as long"
                return self._roll_back(candidate, "latency", text)
            if ratio:
                candidate.next_trial = self._clock() + PAUSE_S
        return False

    async def _compare_now(self, new: LoadedVersion, old: LoadedVersion) -> float:
        """How much slower the new one is than the old one is now.

        The machine may have become slower at the very moment of the change: so the old version's
        engine is timed again, and the new one's calls of that time are set against it.
        """
        calls: Calls = self._metrics.statistics(new.model, str(new.version)).batches
        usual = max(calls, key=lambda images: calls[images].count)
        costs = {images: old.predictor.expect_s(images) for images in calls}
        first = {images: replace(total) for images, total in calls.items()}
        async with asyncio.timeout(TRIAL_S):
            drift = median(await self._time_calls(old, usual)) / costs[usual]
        during = {images: total.since(first.get(images)) for images, total in calls.items()}
        if sum(total.count for total in during.values()) < TRIAL_CALLS:
            during = calls
        seconds = sum(total.seconds for total in during.values())
        expected = sum(total.count * costs.get(n, 0.0) for n, total in during.items())
        return seconds / (max(drift, 1.0) * expected) if expected else 0.0

    async def _time_calls(self, version: LoadedVersion, images: int) -> list[float]:
        """Seconds of engine calls of blank images, with pauses as long as they are."""
        spec = version.artifact.input
        blank = np.zeros((images, *spec.shape), np.uint8 if spec.takes_pixels else np.float32)
        seconds = []
        with version.users.hold():
            for _ in range(TRIAL_CALLS):
                seconds.append((await version.predictor.submit(blank)).inference_s)
                await self._sleep(seconds[-1])
        return seconds

    def _roll_back(self, candidate: _Candidate, kind: str, why: str) -> bool:
        version, before = candidate.version, candidate.before
        if not (version.ready and before.ready):
            return True  # Changed while the old one was timed.
        text = f"rolled back to version {before.version}: {why}"
        log.error("model %s version %d is %s", version.model, version.version, text)
        self._metrics.rollbacks.labels(version.model, kind).inc()
        self._rollout.reject(version, text)
        self._rollout.set_labels(self._rollout.served[version.model])
        return True
