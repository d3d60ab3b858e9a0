"""Artifacts: a version's folder and its manifest, for reading and writing.

An artifact is a SavedModel that any TensorFlow reader opens, plus `assets.extra/` with what the
graph does not say. This package owns the layout and the rules of the manifest; it opens no graph.
"""

from saccade_server.artifact.files import (
    ASSETS,
    GRAPH,
    MANIFEST,
    checksum_files,
    inside,
    saved_model_sha256,
    sha256,
)
from saccade_server.artifact.manifest import (
    FORMAT,
    MAX_CLASSES,
    MAX_MANIFEST_BYTES,
    Artifact,
    GoldenSample,
    make_artifact,
    read_artifact,
    read_manifest,
    verify_files,
    write_manifest,
)
from saccade_server.artifact.snapshot import MAX_DEPTH, MAX_FILES, Snapshot, take_snapshot
from saccade_server.artifact.specs import MAX_SIDE, ColorSpace, InputSpec, OutputSpec, Resize

__all__ = [
    "ASSETS",
    "FORMAT",
    "GRAPH",
    "MANIFEST",
    "MAX_CLASSES",
    "MAX_DEPTH",
    "MAX_FILES",
    "MAX_MANIFEST_BYTES",
    "MAX_SIDE",
    "Artifact",
    "ColorSpace",
    "GoldenSample",
    "InputSpec",
    "OutputSpec",
    "Resize",
    "Snapshot",
    "checksum_files",
    "inside",
    "make_artifact",
    "read_artifact",
    "read_manifest",
    "saved_model_sha256",
    "sha256",
    "take_snapshot",
    "verify_files",
    "write_manifest",
]
