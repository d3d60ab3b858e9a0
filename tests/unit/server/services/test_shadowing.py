"""Which requests are copied, and what is told of the copies."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from fixtures.clock import settle
from fixtures.manifests import minimal_manifest, write_artifact
from fixtures.predictors import FakePredictor
from saccade.v1 import manifest_pb2
from saccade_server.imaging import Decoder, ImageLimits, Pixels
from saccade_server.metrics import Metrics
from saccade_server.registry import All, Registry, Traffic
from saccade_server.services.shadowing import Answered, Shadows
from unit.server.registry.conftest import FakeLoader

GRAY = Pixels(b"\x07", (1, 1, 1))


class Copies(NamedTuple):
    """Two versions of which the second gets copies, and what is known of them."""

    registry: Registry
    shadows: Shadows
    metrics: Metrics
    draws: list[float]

    def predictor(self, version: int) -> FakePredictor:
        """What answers for a version."""
        found = self.registry.find("tiny", version).predictor
        assert isinstance(found, FakePredictor)
        return found

    async def offer(self, *probabilities: float, sources: int = 1) -> None:
        """Offers a request of version 1 whose images have these probabilities of class 0."""
        scores = np.array([[each, 1 - each] for each in probabilities], np.float32)
        images = np.zeros((len(scores), 1, 1, 1), np.uint8)
        version = self.registry.find("tiny", 1)
        self.shadows.offer(Answered(version, images, [GRAY] * sources, scores))
        await settle()

    def counted(self, outcome: str) -> float:
        """Images of copies that came to that."""
        labels = {"model": "tiny", "version": "2", "outcome": outcome}
        value = self.metrics.registry.get_sample_value("saccade_shadow_images_total", labels)
        return value or 0.0


async def make_copies(root: Path, manifest: manifest_pb2.Manifest, percent: float) -> Copies:
    """Serves version 1, and a version 2 with that manifest, for copies."""
    write_artifact(root / "tiny" / "1")
    write_artifact(root / "tiny" / "2", manifest)
    metrics, draws = Metrics(CollectorRegistry()), [0.0]
    registry = Registry(root, FakeLoader().load, metrics, policy=All())
    registry.direct({"tiny": Traffic(labels={"next": 2}, shadow={"next": percent})})
    await registry.open()
    decoder = Decoder(threads=1, limits=ImageLimits())
    shadows = Shadows(registry, decoder, metrics, draw=lambda: draws[0])
    return Copies(registry, shadows, metrics, draws)


@pytest.fixture
async def copies(tmp_path: Path) -> Copies:
    """A quarter of the requests is copied."""
    return await make_copies(tmp_path, minimal_manifest(), 25)


async def test_agreement_is_counted_by_image(copies: Copies) -> None:
    """The copy gives every image the class 0."""
    await copies.offer(0.75, 0.875, 0.25)

    assert (2, 1) == (copies.counted("agreed"), copies.counted("differed"))


async def test_the_largest_difference_of_each_image_is_told(copies: Copies) -> None:
    """The copy gives class 0 the probability 1."""
    await copies.offer(0.75, 0.5)
    labels = {"model": "tiny", "version": "2"}
    total = copies.metrics.registry.get_sample_value("saccade_shadow_difference_sum", labels)

    assert 0.25 + 0.5 == total


async def test_what_copies_cost_is_told(copies: Copies) -> None:
    """In seconds of the engine."""
    copies.predictor(2).now_s = 0.5
    await copies.offer(1.0, 1.0)
    labels = {"model": "tiny", "version": "2"}
    name = "saccade_shadow_inference_seconds_total"

    assert 1.0 == copies.metrics.registry.get_sample_value(name, labels)


@pytest.mark.parametrize(("draw", "expected"), [(0.0, [1]), (0.249, [1]), (0.25, []), (0.99, [])])
async def test_a_share_of_the_requests_is_copied(
    copies: Copies, draw: float, expected: list[int]
) -> None:
    """Each one is drawn."""
    copies.draws[0] = draw
    await copies.offer(1.0)

    assert expected == copies.predictor(2).spare


@pytest.mark.parametrize("version", [1, 2])
async def test_while_any_version_has_something_to_do_copies_are_dropped(
    copies: Copies, version: int
) -> None:
    """They would take processors from it."""
    copies.predictor(version).idle = False
    await copies.offer(1.0)

    assert ([], 1) == (copies.predictor(2).spare, copies.counted("dropped"))


async def test_a_version_is_no_copy_of_itself(copies: Copies) -> None:
    """It has answered already."""
    version = copies.registry.find("tiny", 2)
    images = np.zeros((1, 1, 1, 1), np.uint8)
    copies.shadows.offer(Answered(version, images, [GRAY], np.ones((1, 2), np.float32)))
    await settle()

    assert [] == copies.predictor(2).spare


@pytest.mark.parametrize(("sources", "expected"), [(1, "agreed"), (0, "other_input")])
async def test_for_another_form_of_input_images_are_decoded_again(
    tmp_path: Path, sources: int, expected: str
) -> None:
    """What a caller sent as ready-made values cannot be."""
    manifest = minimal_manifest()
    manifest.input.height = 2
    copies = await make_copies(tmp_path, manifest, 100)
    await copies.offer(1.0, sources=sources)
    await copies.shadows.finish()

    assert 1 == copies.counted(expected)
