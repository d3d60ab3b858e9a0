"""The warm-up requests of an artifact, read by TensorFlow Serving's own messages."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from integration.tfserving_client.packages import run
from saccade_server.artifact import read_artifact

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def said(packages: Path, artifact: Path) -> Any:
    """The requests, and what the SavedModel answers to them."""
    return json.loads(run(packages, str(Path(__file__).with_name("warmup.py")), str(artifact)))


def test_the_requests_are_for_this_model(said: Any) -> None:
    """By name and signature; one image first, then several at once."""
    assert [("digits", "serving_default", 1), ("digits", "serving_default", 8)] == [
        (request["model"], request["signature"], len(request["scores"])) for request in said
    ]


def test_the_requests_are_the_golden_samples(said: Any, artifact: Path) -> None:
    """What the official messages unpack is what the graph is known to answer."""
    golden = [sample.probabilities for sample in read_artifact(artifact).manifest.golden.samples]

    assert np.allclose(golden[:8], said[1]["scores"], atol=1e-5)
