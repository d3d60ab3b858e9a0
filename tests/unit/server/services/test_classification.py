"""The way of images, where a request is the only one and where it is not."""

from pathlib import Path

import pytest

from fixtures.clock import settle
from fixtures.manifests import write_artifact
from fixtures.predictors import FakePredictor
from saccade_server.imaging import Decoder, ImageLimits, Pixels
from saccade_server.metrics import Metrics
from saccade_server.registry import Registry
from saccade_server.services.call import Call
from saccade_server.services.classification import ImagePath
from unit.server.registry.conftest import FakeLoader

GRAY = Pixels(b"\x07", (1, 1, 1))


@pytest.mark.parametrize(("alone", "at_once"), [(True, 0), (False, 1)])
async def test_what_is_alone_is_counted_when_its_answer_has_left(
    tmp_path: Path, metrics: Metrics, alone: bool, at_once: float
) -> None:
    """The predictor knows that it is; everything else is counted before it is answered."""
    write_artifact(tmp_path / "tiny" / "1")
    registry = Registry(tmp_path, FakeLoader().load, metrics)
    await registry.open()
    version = registry.find("tiny")
    path = ImagePath(Decoder(threads=1, limits=ImageLimits()), metrics, max_request_images=4)

    def counted() -> float:
        labels = {"model": "tiny", "version": "1", "outcome": "ok"}
        return metrics.registry.get_sample_value("saccade_images_total", labels) or 0.0

    await path.classify([GRAY], version, Call(alone=alone))
    before = counted()
    await settle()

    assert (at_once, 1) == (before, counted())
    assert isinstance(version.predictor, FakePredictor)
    assert [alone] == version.predictor.alone
