"""A new version that is worse gives way to the one before."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from fixtures.clock import FakeClock, settle
from fixtures.manifests import write_artifact
from fixtures.predictors import FakePredictor
from saccade_server.artifact import GRAPH
from saccade_server.metrics import Metrics
from saccade_server.registry import All, Registry, Traffic
from unit.server.registry.conftest import FakeLoader

PROBATION_S = 300.0


class Pauses:
    """Pauses that end when the test says so; those within a comparison end at once."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._waiting: list[asyncio.Event] = []

    async def sleep(self, seconds: float) -> None:
        """Waits for the next tick."""
        if seconds >= 1:
            self._waiting.append(asyncio.Event())
            await self._waiting[-1].wait()

    async def tick(self, seconds: float = 1.0) -> None:
        """Lets time pass, and all that waits for it go on."""
        self._clock.advance(seconds)
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            event.set()
        for _ in range(5):
            await settle()


class Watched:
    """A registry that watches new versions.

    Attributes:
        registry: It.
        pauses: Of the watching.
    """

    def __init__(self, root: Path, loader: FakeLoader, metrics: Metrics) -> None:
        clock = FakeClock()
        self.root = root
        self.pauses = Pauses(clock)
        self.registry = Registry(
            root,
            loader.load,
            metrics,
            probation_s=PROBATION_S,
            clock=clock,
            sleep=self.pauses.sleep,
        )
        self._metrics = metrics

    async def add(self, version: int) -> None:
        """Lets a version appear, and looks."""
        write_artifact(self.root / "digits" / str(version))
        await self.registry.refresh()
        await settle()

    def requests(self, version: int, good: int, faults: int = 0) -> None:
        """Lets a version have answered and failed."""
        done = self._metrics.statistics("digits", str(version))
        done.success.count += good
        done.faults += faults

    def calls(self, version: int, *seconds: float) -> None:
        """Lets a version's engine have run single images."""
        for each in seconds:
            self._metrics.statistics("digits", str(version)).add_batch(1, each)

    def predictor(self, version: int) -> FakePredictor:
        """What answers for a version."""
        loaded = self.registry.find("digits", version).predictor
        assert isinstance(loaded, FakePredictor)
        return loaded

    def answering(self) -> int:
        """The version that answers by default."""
        return self.registry.find("digits").version

    def shown(self) -> dict[int, tuple[str, str]]:
        """State and reason of each version."""
        versions = self.registry.models["digits"]
        return {each.version: (each.state.value, each.reason) for each in versions}

    def counted(self, reason: str) -> float:
        """Versions taken away."""
        labels = {"model": "digits", "reason": reason}
        return self._metrics.registry.get_sample_value("saccade_rollbacks_total", labels) or 0.0


@pytest.fixture
async def watched(root: Path, loader: FakeLoader, metrics: Metrics) -> Watched:
    """Version 1 has answered many requests; version 2 has just taken over."""
    watched = Watched(root, loader, metrics)
    write_artifact(root / "digits" / "1")
    await watched.registry.open()
    watched.requests(1, good=1000)
    watched.predictor(1).known_s = watched.predictor(1).now_s = 0.002
    await watched.add(2)
    return watched


async def test_the_version_before_stays_while_the_new_one_is_on_probation(
    watched: Watched,
) -> None:
    """It answers only who names it."""
    assert (2, {1: ("ready", ""), 2: ("ready", "")}) == (watched.answering(), watched.shown())


async def test_a_version_that_stands_the_test_stays_alone(watched: Watched) -> None:
    """The one before goes with the next look."""
    watched.requests(2, good=1000, faults=3)
    watched.calls(2, *[0.003] * 100)
    await watched.pauses.tick(PROBATION_S)
    await watched.registry.refresh()
    await settle()

    assert {2: ("ready", "")} == watched.shown()


async def test_a_version_whose_requests_fail_is_taken_away(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    """It is shown with the reason, counted and logged."""
    watched.requests(2, good=30, faults=12)
    await watched.pauses.tick()
    reason = "rolled back to version 1: 12 of 42 requests failed"

    assert (1, {1: ("ready", ""), 2: ("failed", reason)}, 1) == (
        watched.answering(),
        watched.shown(),
        watched.counted("errors"),
    )
    assert [f"model digits version 2 is {reason}"] == [
        each.message for each in caplog.records if each.levelname == "ERROR"
    ]


async def test_a_version_that_is_slow_is_taken_away(watched: Watched) -> None:
    """For as many images it takes longer than the one before does at the same time."""
    watched.calls(2, *[0.008] * 50)
    await watched.pauses.tick()
    reason = "rolled back to version 1: its engine calls take 4.0 times as long"

    assert ({1: ("ready", ""), 2: ("failed", reason)}, 1) == (
        watched.shown(),
        watched.counted("latency"),
    )


async def test_a_machine_that_became_slow_is_not_blamed_on_the_version(watched: Watched) -> None:
    """The one before is timed again, and has become as slow."""
    watched.predictor(1).now_s = 0.008
    watched.calls(2, *[0.008] * 50)
    await watched.pauses.tick()

    assert 2 == watched.answering()


async def test_a_version_that_hangs_is_taken_away(watched: Watched) -> None:
    """Its requests neither succeed nor fail."""
    watched.predictor(2).stalled_s = 20.0
    await watched.pauses.tick()

    assert (1, 1) == (watched.answering(), watched.counted("stalled"))


async def test_what_was_taken_away_comes_back_only_when_its_files_change(
    watched: Watched,
) -> None:
    """However often the folder is looked at."""
    watched.requests(2, good=0, faults=50)
    await watched.pauses.tick()
    await watched.registry.refresh()
    before = watched.answering()
    os.utime(watched.root / "digits" / "2" / GRAPH, (1, 1))
    await watched.registry.refresh()

    assert (1, 2) == (before, watched.answering())


async def test_a_newer_version_is_measured_by_one_that_has_stood_the_test(
    watched: Watched,
) -> None:
    """The one between them has not, and goes."""
    await watched.add(3)
    kept = sorted(watched.shown())
    watched.requests(3, good=0, faults=50)
    await watched.pauses.tick()

    assert ([1, 3], 1) == (kept, watched.answering())


async def test_when_the_folder_of_the_version_before_goes_it_goes(watched: Watched) -> None:
    """A removed folder is served no longer; the new version stays, whatever it does."""
    shutil.rmtree(watched.root / "digits" / "1")
    await watched.registry.refresh()
    await settle()
    watched.requests(2, good=0, faults=50)
    await watched.pauses.tick()

    assert {2: ("ready", "")} == watched.shown()


async def test_a_model_may_be_excepted(watched: Watched) -> None:
    """As when a new version is slower on purpose."""
    watched.registry.direct({"digits": Traffic(rollback=False)})
    watched.calls(2, *[0.008] * 50)
    await watched.pauses.tick()

    assert 2 == watched.answering()


async def test_the_label_of_a_version_that_was_taken_away_is_free(watched: Watched) -> None:
    """Its share of the traffic goes to the others."""
    labels = {"stable": 1, "canary": 2}
    watched.registry.direct({"digits": Traffic(labels=labels, split={"stable": 1, "canary": 99})})
    watched.requests(2, good=0, faults=50)
    await watched.pauses.tick()

    assert {1} == {watched.registry.find("digits", key=f"user-{n}").version for n in range(50)}


async def test_versions_of_the_start_are_not_watched(
    root: Path, loader: FakeLoader, metrics: Metrics
) -> None:
    """Nothing is known of any of them; asking again would not make it better."""
    for version in "12":
        write_artifact(root / "digits" / version)
    watched = Watched(root, loader, metrics)
    watched.registry = Registry(
        root, loader.load, metrics, policy=All(), probation_s=1, sleep=watched.pauses.sleep
    )
    await watched.registry.open()
    watched.requests(2, good=0, faults=50)
    await watched.pauses.tick()

    assert 2 == watched.answering()


async def test_requests_under_way_end_on_the_version_that_is_taken_away(
    watched: Watched,
) -> None:
    """It is closed after them."""
    bad, predictor = watched.registry.find("digits", 2), watched.predictor(2)
    with bad.users.hold():
        watched.requests(2, good=0, faults=50)
        await watched.pauses.tick()
        closed, shown = predictor.closed, watched.shown()[2]
    await settle()

    assert (False, True) == (closed, predictor.closed)
    assert ("unloading", "rolled back to version 1: 50 of 50 requests failed") == shown
