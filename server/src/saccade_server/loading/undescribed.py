"""SavedModels without a manifest: where is kept what was found out about them."""

from pathlib import Path

from google.protobuf import json_format

from saccade.v1 import manifest_pb2
from saccade_server.artifact import saved_model_sha256
from saccade_server.errors import ArtifactError


def place_of(artifact: Path, cache: Path) -> Path:
    """The file for what is known of a SavedModel; it belongs to its graph and weights."""
    return cache / "manifests" / f"{saved_model_sha256(artifact)[:32]}.json"


def parse_manifest(file: Path) -> manifest_pb2.Manifest:
    """What such a file says.

    Raises:
        ArtifactError: It cannot be read.
    """
    try:
        return json_format.Parse(file.read_text("utf-8"), manifest_pb2.Manifest())
    except (OSError, UnicodeDecodeError, json_format.ParseError) as error:
        raise ArtifactError(f"{file}: {error}") from error
