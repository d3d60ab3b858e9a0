"""The largest batch that is worth forming."""

from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fixtures.manifests import write_artifact
from saccade_server.artifact import Artifact, read_artifact
from saccade_server.loading import sizing
from saccade_server.loading.sizing import ROUNDS, TRIALS, find_sizing


class EngineOfCost:
    """Takes a time that the test says by the number of images; the clock is its own.

    Args:
        cost_s: That time of each size.
        monkeypatch: Gives it the clock.
        resize_s: More for a call of another size than the one before.
        disturbed: So many calls at the beginning take twice as long.

    Attributes:
        sizes: The number of images of each call.
    """

    name = "fake"
    bounded = True

    def __init__(
        self,
        cost_s: dict[int, float],
        monkeypatch: pytest.MonkeyPatch,
        *,
        resize_s: float = 0.0,
        disturbed: int = 0,
    ) -> None:
        self.sizes: list[int] = []
        self._cost_s = cost_s
        self._resize_s = resize_s
        self._disturbed = disturbed
        self._now = 0.0
        monkeypatch.setattr(sizing, "time", self)

    def perf_counter(self) -> float:
        """The time."""
        return self._now

    def predict(self, images: NDArray[np.uint8 | np.float32]) -> NDArray[np.float32]:
        """Lets the time pass."""
        if [len(images)] != self.sizes[-1:]:
            self._now += self._resize_s
        self.sizes.append(len(images))
        slowness = 2 if len(self.sizes) <= self._disturbed else 1
        self._now += slowness * self._cost_s[len(images)]
        return np.zeros((len(images), 2), np.float32)

    def close(self) -> None:
        """Nothing to free."""


@pytest.fixture
def artifact(tmp_path: Path) -> Artifact:
    """Any."""
    write_artifact(tmp_path / "1")
    return read_artifact(tmp_path / "1")


@pytest.mark.parametrize(
    ("cost_s", "expected"),
    [
        ({1: 0.00003, 8: 0.0003, 32: 0.0009}, (32, 32, False)),
        ({1: 0.00003, 8: 0.00024, 32: 0.0009}, (32, 32, False)),
        ({1: 0.0001, 8: 0.0005, 32: 0.0019}, (32, 8, False)),
        ({1: 0.0003, 8: 0.001, 32: 0.004}, (32, 8, True)),
        ({1: 0.0015, 8: 0.002, 32: 0.005}, (32, 32, True)),
        ({1: 0.006, 4: 0.026}, (1, 1, True)),
        ({1: 0.006, 4: 0.0232}, (1, 1, True)),
        ({1: 0.006, 4: 0.0200}, (1, 1, True)),
        ({1: 0.028, 4: 0.080, 16: 0.330}, (4, 4, True)),
        ({1: 0.028, 4: 0.080, 16: 0.240}, (32, 32, True)),
    ],
    ids=[
        "light, and cheaper in full batches",
        "very light",
        "light",
        "light, but not in batches",
        "light, but not in batches, and cheaper in full ones",
        "slower in batches",
        "hardly quicker",
        "a little quicker",
        "quicker up to four",
        "quicker always",
    ],
)
def test_a_batch_is_as_large_as_it_pays(
    cost_s: dict[int, float],
    expected: tuple[int, int, bool],
    artifact: Artifact,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By the cost of an image in batches of 1, 4 and 16; of a light graph, of 8 and 32."""
    engine = EngineOfCost(cost_s, monkeypatch)

    assert expected == astuple(find_sizing(engine, artifact, 32))


def test_no_batch_is_tried_beyond_the_bound(
    artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A larger one might not fit into memory."""
    engine = EngineOfCost({1: 0.028, 4: 0.080}, monkeypatch)
    find_sizing(engine, artifact, 8)

    assert 4 == max(engine.sizes)


def test_sizes_are_tried_in_turns(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that what slows the machine down for a while slows both."""
    engine = EngineOfCost({1: 0.028, 4: 0.120}, monkeypatch)
    find_sizing(engine, artifact, 8)

    assert [1, 1, 4, 4] * ROUNDS == engine.sizes[TRIALS:]


def test_a_change_of_size_is_not_counted(
    artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shared out among four images it would make them look cheaper than a single one.

    But for the very first call of one image, which is the same size again, and may be a slow one.
    """
    costs = {1: 0.003, 4: 0.012}
    engine = EngineOfCost(costs, monkeypatch, resize_s=0.001, disturbed=TRIALS + 1)

    assert 1 == find_sizing(engine, artifact, 8).batch_images
