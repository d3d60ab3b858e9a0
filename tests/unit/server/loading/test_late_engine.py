"""Engines that are loaded when there is work for them."""

import logging
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest

from fixtures.engines import FakeEngine
from fixtures.manifests import write_artifact
from saccade_server.artifact import read_artifact
from saccade_server.engines import Engine
from saccade_server.errors import EngineError
from saccade_server.loading import engine_set
from saccade_server.loading.engine_set import EngineConfig, make_engines
from saccade_server.loading.late_engine import LateEngine, Make, SharedEngine
from saccade_server.loading.sizing import Sizing

IMAGES = np.zeros((1, 2, 2, 1), np.uint8)


class LoadingThread:
    """Does one thing after the other, when the test says.

    Attributes:
        ended: Whether it takes nothing more.
    """

    def __init__(self) -> None:
        self.ended = False
        self._waiting: list[tuple[Make, Future[Engine]]] = []

    def submit(self, make: Make) -> Future[Engine]:
        """Puts it into the line."""
        if self.ended:
            raise RuntimeError("cannot schedule new futures after shutdown")
        self._waiting.append((make, Future()))
        return self._waiting[-1][1]

    def begin(self) -> None:
        """From now on the first one cannot be cancelled."""
        assert self._waiting[0][1].set_running_or_notify_cancel()

    def work(self) -> int:
        """Does what waits; gives how much that was."""
        count = len(self._waiting)
        for make, future in self._waiting:
            if future.cancelled():
                continue
            try:
                future.set_result(make())
            except EngineError as error:
                future.set_exception(error)
        self._waiting.clear()
        return count


class Late:
    """An engine that comes late, and what it is made of."""

    def __init__(self) -> None:
        self.thread = LoadingThread()
        self.first, self.second = FakeEngine(), FakeEngine()
        self.trouble: EngineError | None = None
        self.engine = LateEngine(self._make, self.thread.submit, SharedEngine(self.first))

    @property
    def calls(self) -> tuple[int, int]:
        """Of the one that stands in, and of the one that was loaded."""
        return len(self.first.batches), len(self.second.batches)

    def _make(self) -> FakeEngine:
        if self.trouble is not None:
            raise self.trouble
        return self.second


@pytest.fixture
def late() -> Late:
    """Nothing is loaded."""
    return Late()


def test_nothing_is_loaded_without_work(late: Late) -> None:
    """Weights that nobody needs take no memory."""
    assert late.thread.work() == 0


def test_another_one_stands_in_until_it_is_loaded(late: Late) -> None:
    """No batch waits for it."""
    late.engine.predict(IMAGES)
    late.engine.predict(IMAGES)
    before = late.calls
    loads = late.thread.work()
    late.engine.predict(IMAGES)

    assert ((2, 0), 1, (2, 1)) == (before, loads, late.calls)


def test_another_one_stands_in_for_good_where_it_cannot_be_loaded(
    late: Late, caplog: pytest.LogCaptureFixture
) -> None:
    """It is tried once, and the log says why."""
    late.trouble = EngineError("the file has gone")
    with caplog.at_level(logging.WARNING):
        late.engine.predict(IMAGES)
        late.thread.work()
        late.engine.predict(IMAGES)

    assert (2, 0) == late.calls
    assert late.thread.work() == 0
    assert ["batches are not run side by side: the file has gone"] == caplog.messages


def test_another_one_stands_in_where_the_server_ends(late: Late) -> None:
    """The last requests of a drain are answered."""
    late.thread.ended = True
    late.engine.predict(IMAGES)
    late.engine.predict(IMAGES)

    assert (2, 0) == late.calls


def test_it_is_closed_and_the_one_that_stands_in_is_not(late: Late) -> None:
    """That one has an owner."""
    late.engine.predict(IMAGES)
    late.thread.work()
    late.engine.close()

    assert (False, True) == (late.first.closed, late.second.closed)


def test_it_is_not_loaded_once_it_is_closed(late: Late) -> None:
    """A version that is unloaded takes no memory any more."""
    late.engine.predict(IMAGES)
    late.engine.close()
    late.thread.work()

    assert not late.second.closed


def test_one_that_is_closed_while_it_is_loaded_is_freed_afterwards(late: Late) -> None:
    """Loading cannot be broken off."""
    late.engine.predict(IMAGES)
    late.thread.begin()
    late.engine.close()
    late.thread.work()

    assert late.second.closed


def test_a_version_beside_another_loads_one_engine_until_batches_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that run batches side by side have been checked like the first one."""
    write_artifact(tmp_path / "1")
    artifact = read_artifact(tmp_path / "1")
    made: list[FakeEngine] = []

    def load(*_args: object, **_how: object) -> FakeEngine:
        made.append(FakeEngine())
        return made[-1]

    checked: list[Engine] = []
    monkeypatch.setattr(engine_set, "load_engine", load)
    monkeypatch.setattr(
        engine_set, "verify_golden", lambda _artifact, engine, _golden: checked.append(engine)
    )
    thread = LoadingThread()
    found = make_engines(
        artifact,
        "litert",
        None,
        EngineConfig(workers=0, threads=2, max_batch_images=32),
        known=Sizing(batch_images=1, enough_images=1, heavy=True),
        sizes=[],
        later=thread.submit,
    )
    before = len(made)
    for engine in found.engines:
        engine.predict(np.zeros((1, *artifact.input.shape), np.uint8))
    loads = thread.work()

    assert (1, 2, 2) == (before, len(found.engines), loads)
    assert made[1:] == checked
