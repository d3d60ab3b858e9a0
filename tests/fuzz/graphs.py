"""Small graphs of the three kinds, and what may be asked of them whatever a request says."""

from pathlib import Path

import numpy as np

from fixtures.manifests import minimal_manifest
from fixtures.predictors import FakePredictor
from saccade.v1 import manifest_pb2 as pb
from saccade_server.artifact import InputSpec, make_artifact
from saccade_server.registry import LoadedVersion
from saccade_server.services.inference.tensors import Values

MAX_IMAGES = 8


def small_versions() -> list[LoadedVersion]:
    """Of 2 x 2 gray pixels: as they are, scaled, and as bytes."""
    return [
        _version(pb.DATA_TYPE_FLOAT32, 0, 255),
        _version(pb.DATA_TYPE_FLOAT32, -1, 1),
        _version(pb.DATA_TYPE_UINT8, 0, 255),
    ]


def check_content(content: list[bytes] | Values, spec: InputSpec) -> None:
    """Fails unless it is files, or numbers that the graph takes; as many as may be."""
    assert 1 <= len(content) <= MAX_IMAGES, len(content)
    if isinstance(content, list):
        assert all(type(each) is bytes for each in content), content
    else:
        assert spec.shape == content.shape[1:], content.shape
        assert content.dtype in (np.uint8, spec.dtype), content.dtype
        assert np.isfinite(content).all(), content


def _version(data_type: pb.DataType, black: float, white: float) -> LoadedVersion:
    manifest = minimal_manifest()
    manifest.input.height = manifest.input.width = 2
    manifest.input.data_type = data_type
    manifest.input.pixel_range.black, manifest.input.pixel_range.white = black, white
    return LoadedVersion(
        model="tiny",
        version=1,
        artifact=make_artifact(Path("tiny"), manifest),
        engine="none",
        predictor=FakePredictor(),
    )
