"""A version's manifest, in a folder of files that it may name."""

import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from google.protobuf import json_format

from fixtures.manifests import minimal_manifest, write_artifact
from saccade.v1 import manifest_pb2 as pb
from saccade_server.artifact import (
    ASSETS,
    MANIFEST,
    MAX_CLASSES,
    MAX_SIDE,
    read_artifact,
    verify_files,
)
from saccade_server.errors import ArtifactError

from ..catalogue import Check

SAMPLE = "sample"
_FOLDER_OUT = "../../"


def seeds() -> list[bytes]:
    """Of a plain graph, of one with all that a manifest may have, and of one that names others."""
    full = minimal_manifest()
    full.format = 1
    full.input.color_space = pb.COLOR_SPACE_RGB
    full.input.pixel_range.mean.extend([0.5] * 3)
    full.input.pixel_range.std.extend([0.25] * 3)
    full.golden.max_abs_error = 1e-4
    full.golden.samples.add(path=SAMPLE, probabilities=[0.25, 0.75])
    full.files.add(path="saved_model.pb", bytes=7, sha256="0" * 64)
    full.compiled.add().golden.CopyFrom(full.golden)
    outside = pb.Manifest.FromString(full.SerializeToString())
    outside.golden.samples[0].path = f"{_FOLDER_OUT}{SAMPLE}"
    outside.files[0].path = "/etc/passwd"
    plain = minimal_manifest()
    plain.format = 1
    return [
        json_format.MessageToJson(each, indent=None).encode() for each in (plain, full, outside)
    ]


@contextmanager
def opened() -> Iterator[Check]:
    """A folder to put manifests into."""
    with tempfile.TemporaryDirectory() as root:
        folder = write_artifact(Path(root) / "tiny" / "1")
        (folder / ASSETS / SAMPLE).write_bytes(b"an image")
        yield partial(check, folder)


def check(folder: Path, data: bytes) -> None:
    """A manifest is refused by an ArtifactError, or says what a graph can take and give."""
    (folder / MANIFEST).write_bytes(data)
    try:
        artifact = read_artifact(folder)
    except ArtifactError:
        return
    spec, labels = artifact.input, artifact.class_labels
    assert 1 <= len(labels) <= MAX_CLASSES, len(labels)
    assert all(1 <= side <= MAX_SIDE for side in spec.shape[:2]), spec.shape
    assert np.isfinite([spec.scale, spec.offset]).all(), spec
    assert spec.scale.shape == spec.offset.shape == spec.shape[2:], spec
    assert math.isfinite(artifact.manifest.golden.max_abs_error)
    try:
        samples = artifact.golden_samples()
        assert all(one.probabilities.shape == (len(labels),) for one in samples), samples
        assert all(one.image == b"an image" for one in samples) or _names(data), samples
        verify_files(artifact)
    except ArtifactError:
        return


def _names(data: bytes) -> bool:
    """Whether a sample may be another file of the folder: the manifest itself, or the graph."""
    return b"manifest.json" in data or b"saved_model" in data
