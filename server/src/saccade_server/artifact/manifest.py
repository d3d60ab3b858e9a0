"""The manifest of an artifact: reading, checking and writing."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from google.protobuf import json_format
from numpy.typing import NDArray

from saccade.v1 import manifest_pb2
from saccade_server.artifact.files import ASSETS, GRAPH, MANIFEST, checksum_files, inside, sha256
from saccade_server.artifact.snapshot import MAX_FILES
from saccade_server.artifact.specs import InputSpec, OutputSpec, read_input_spec
from saccade_server.errors import ArtifactError, IncompleteArtifact

FORMAT = 1
MAX_CLASSES = 1_000_000
MAX_LABEL_CHARACTERS = 1024
MAX_MANIFEST_BYTES = 16 << 20
MAX_MANIFEST_VALUES = 500_000
"""Labels, probabilities, files and all else; protobuf's reader of JSON takes some microseconds for
each, in which a server that answers requests has less of the interpreter."""
MAX_GOLDEN_SAMPLES = 1000
MAX_GOLDEN_BYTES = 64 << 20
MAX_FORMS = 16

_ACTIVATIONS = (manifest_pb2.ACTIVATION_PROBABILITIES, manifest_pb2.ACTIVATION_LOGITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenSample:
    """An image whose class probabilities are known."""

    image: bytes
    probabilities: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A version's folder and what its manifest says."""

    path: Path
    manifest: manifest_pb2.Manifest
    input: InputSpec
    output: OutputSpec
    class_labels: tuple[str, ...]

    def golden_samples(self, golden: manifest_pb2.GoldenSet | None = None) -> list[GoldenSample]:
        """Reads the samples' images.

        Args:
            golden: A compiled form's own set; None: the manifest's.

        Raises:
            ArtifactError: An image is missing.
        """
        samples = []
        for sample in (golden or self.manifest.golden).samples:
            path = inside(self.path / ASSETS, sample.path)
            try:
                _check_kind(path)
                if path.stat().st_size > MAX_GOLDEN_BYTES:
                    raise ArtifactError(
                        f"golden sample {sample.path} is larger than {MAX_GOLDEN_BYTES} bytes"
                    )
                image = path.read_bytes()
            except OSError as error:
                raise ArtifactError(f"golden sample {path}: {error.strerror}") from error
            probabilities = np.asarray(sample.probabilities, np.float32)
            samples.append(GoldenSample(image=image, probabilities=probabilities))
        return samples


def read_artifact(path: Path) -> Artifact:
    """Reads and checks a version's folder.

    Raises:
        IncompleteArtifact: There is no graph, or only the beginning of a manifest.
        ArtifactError: There is no manifest, or the manifest is wrong.
    """
    if not (path / GRAPH).is_file():
        raise IncompleteArtifact(
            f"{path} has no {GRAPH}: it is not a SavedModel, or not copied whole"
        )
    return make_artifact(path, read_manifest(path))


def make_artifact(path: Path, manifest: manifest_pb2.Manifest) -> Artifact:
    """The artifact of a folder and a manifest that need not be in it.

    Raises:
        ArtifactError: The manifest is wrong.
    """
    labels = tuple(manifest.class_labels)
    if not 1 <= len(labels) <= MAX_CLASSES:
        raise ArtifactError(f"{path}/{MANIFEST}: class_labels has {len(labels)} entries")
    _check_sizes(manifest, f"{path}/{MANIFEST}")
    if manifest.output.activation not in _ACTIVATIONS:
        raise ArtifactError(f"{path}/{MANIFEST}: output.activation is missing or unknown")
    _check_golden(manifest, f"{path}/{MANIFEST}")
    return Artifact(
        path=path,
        manifest=manifest,
        input=read_input_spec(manifest.input, f"{path}/{MANIFEST}"),
        output=OutputSpec(
            name=manifest.output.name,
            logits=manifest.output.activation == manifest_pb2.ACTIVATION_LOGITS,
        ),
        class_labels=labels,
    )


def read_manifest(path: Path) -> manifest_pb2.Manifest:
    """Parses the manifest of the artifact in `path`.

    Raises:
        IncompleteArtifact: It ends in the middle.
        ArtifactError: It is missing, too large, not JSON of the right form, or of a newer format.
    """
    file = path / MANIFEST
    text = "}"
    try:
        _check_kind(file)
        if file.stat().st_size > MAX_MANIFEST_BYTES:
            raise ArtifactError(f"{file} is larger than {MAX_MANIFEST_BYTES} bytes")
        text = file.read_text("utf-8")
        if text.count(",") > MAX_MANIFEST_VALUES:
            raise ArtifactError(f"{file} has more than {MAX_MANIFEST_VALUES} values")
        manifest = json_format.Parse(text, manifest_pb2.Manifest(), ignore_unknown_fields=True)
    except (OSError, UnicodeDecodeError, json_format.ParseError) as error:
        cut = not text.rstrip().endswith("}")
        raise (IncompleteArtifact if cut else ArtifactError)(f"{file}: {error}") from error
    if not 1 <= manifest.format <= FORMAT:
        raise ArtifactError(
            f"{file} is of format {manifest.format}, this server reads 1 to {FORMAT}"
        )
    return manifest


def write_manifest(path: Path, manifest: manifest_pb2.Manifest) -> None:
    """Writes the manifest of the artifact in `path`, whose other files must all be there.

    Fills in `format` and the checksums of the other files.
    """
    manifest.format = FORMAT
    del manifest.files[:]
    manifest.files.extend(checksum_files(path))
    text = json_format.MessageToJson(manifest, preserving_proto_field_name=True)
    (path / MANIFEST).write_text(text + "\n", "utf-8")


def verify_files(artifact: Artifact) -> None:
    """Compares every file that the manifest names with its size and checksum.

    All sizes come first: they tell a copy under way without reading what is there of it.

    Raises:
        IncompleteArtifact: A file is missing or differs; the text names it.
        ArtifactError: The manifest names a file elsewhere.
    """
    files = [(inside(artifact.path, each.path), each) for each in artifact.manifest.files]
    for file, expected in files:
        if not _is_file(file):
            raise IncompleteArtifact(f"{file} is missing")
        if file.stat().st_size != expected.bytes:
            raise _other(file)
    for file, expected in files:
        if sha256(file) != expected.sha256:
            raise _other(file)


def _is_file(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError as error:  # No file can have such a name.
        raise ArtifactError(f"{file}: {error.strerror}") from error


def _check_kind(file: Path) -> None:
    """Refuses what is there and no file: a pipe or a device may be read for ever."""
    if file.exists() and not file.is_file():
        raise ArtifactError(f"{file} is no file")


def _other(file: Path) -> IncompleteArtifact:
    return IncompleteArtifact(f"{file} is not the file that the manifest describes")


def _check_sizes(manifest: manifest_pb2.Manifest, source: str) -> None:
    """Refuses what no classifier has, before anything is allocated for it."""
    for name, count, most in (
        ("golden samples", len(manifest.golden.samples), MAX_GOLDEN_SAMPLES),
        ("compiled forms", len(manifest.compiled), MAX_FORMS),
        ("files", len(manifest.files), MAX_FILES),
        (
            "characters in a class label",
            max(map(len, manifest.class_labels)),
            MAX_LABEL_CHARACTERS,
        ),
    ):
        if count > most:
            raise ArtifactError(f"{source}: there are {count} {name}, at most {most} may be")


def _check_golden(manifest: manifest_pb2.Manifest, source: str) -> None:
    classes = len(manifest.class_labels)
    own = [form.golden for form in manifest.compiled if form.HasField("golden")]
    for golden in (manifest.golden, *own):
        # Put so that NaN, below which everything is, does not pass.
        if not 0 <= golden.max_abs_error <= 1:
            raise ArtifactError(
                f"{source}: golden.max_abs_error is {golden.max_abs_error:g}, not 0 to 1"
            )
        for sample in golden.samples:
            if len(sample.probabilities) != classes:
                raise ArtifactError(
                    f"{source}: golden sample {sample.path} has "
                    f"{len(sample.probabilities)} probabilities for {classes} classes"
                )
        # A form with fewer samples than the graph would be checked less.
        if [one.path for one in golden.samples] != [one.path for one in manifest.golden.samples]:
            raise ArtifactError(
                f"{source}: a compiled form has other golden samples than the graph"
            )
