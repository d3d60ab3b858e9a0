"""Reading, checking and writing of artifacts: a version's folder with its manifest.

An artifact is a SavedModel that any TensorFlow reader opens, plus `assets.extra/` with what the
graph does not say. This module owns the layout and the rules of the manifest; it opens no graph.
"""

import hashlib
import math
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import numpy as np
from google.protobuf import json_format
from numpy.typing import NDArray

from saccade.v1 import manifest_pb2
from saccade_server.errors import ArtifactError

ASSETS = "assets.extra"
MANIFEST = f"{ASSETS}/manifest.json"
GRAPH = "saved_model.pb"
FORMAT = 1

MAX_SIDE = 8192
MAX_CLASSES = 1_000_000
MAX_MANIFEST_BYTES = 64 << 20


class ColorSpace(Enum):
    """The channels that a graph takes; the value is their number."""

    GRAY = "gray"
    RGB = "rgb"
    BGR = "bgr"

    @property
    def channels(self) -> int:
        """1 or 3."""
        return 1 if self is ColorSpace.GRAY else 3


class Resize(Enum):
    """The filter that brings a picture to the graph's size."""

    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    NEAREST = "nearest"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """What a graph takes, and how an image becomes that.

    `scale` and `offset` fold the manifest's pixel range, mean and std into one step:
    value = pixel * scale + offset, with one number for each channel.

    Attributes:
        takes_pixels: The graph takes the values 0 to 255 as they are.
    """

    signature: str
    name: str
    height: int
    width: int
    color_space: ColorSpace
    dtype: np.dtype[np.float32] | np.dtype[np.uint8]
    resize: Resize
    scale: NDArray[np.float32]
    offset: NDArray[np.float32]
    takes_pixels: bool = field(init=False)

    def __post_init__(self) -> None:
        """Asked for every image, computed once."""
        takes_pixels = bool(np.all(self.scale == 1) and np.all(self.offset == 0))
        object.__setattr__(self, "takes_pixels", takes_pixels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""
        return self.height, self.width, self.color_space.channels


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputSpec:
    """What a graph gives: shape (N, classes), float32."""

    name: str
    logits: bool


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
                image = path.read_bytes()
            except OSError as error:
                raise ArtifactError(f"golden sample {path}: {error.strerror}") from error
            probabilities = np.asarray(sample.probabilities, np.float32)
            samples.append(GoldenSample(image=image, probabilities=probabilities))
        return samples


def read_artifact(path: Path) -> Artifact:
    """Reads and checks a version's folder.

    Raises:
        ArtifactError: There is no graph, or no manifest, or the manifest is wrong.
    """
    if not (path / GRAPH).is_file():
        raise ArtifactError(f"{path} has no {GRAPH}: it is not a SavedModel, or not copied whole")
    manifest = read_manifest(path)
    labels = tuple(manifest.class_labels)
    if not 1 <= len(labels) <= MAX_CLASSES:
        raise ArtifactError(f"{path}/{MANIFEST}: class_labels has {len(labels)} entries")
    if manifest.output.activation not in _ACTIVATIONS:
        raise ArtifactError(f"{path}/{MANIFEST}: output.activation is missing or unknown")
    _check_golden(manifest, f"{path}/{MANIFEST}")
    return Artifact(
        path=path,
        manifest=manifest,
        input=_input_spec(manifest.input, f"{path}/{MANIFEST}"),
        output=OutputSpec(
            name=manifest.output.name,
            logits=manifest.output.activation == manifest_pb2.ACTIVATION_LOGITS,
        ),
        class_labels=labels,
    )


def read_manifest(path: Path) -> manifest_pb2.Manifest:
    """Parses the manifest of the artifact in `path`.

    Raises:
        ArtifactError: It is missing, too large, not JSON of the right form, or of a newer format.
    """
    file = path / MANIFEST
    try:
        if file.stat().st_size > MAX_MANIFEST_BYTES:
            raise ArtifactError(f"{file} is larger than {MAX_MANIFEST_BYTES} bytes")
        text = file.read_text("utf-8")
        manifest = json_format.Parse(text, manifest_pb2.Manifest(), ignore_unknown_fields=True)
    except (OSError, UnicodeDecodeError, json_format.ParseError) as error:
        raise ArtifactError(f"{file}: {error}") from error
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


def checksum_files(path: Path) -> list[manifest_pb2.FileChecksum]:
    """SHA-256 and size of every file below `path` except the manifest, by path."""
    sums = []
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        if file.is_file() and name != MANIFEST:
            sums.append(
                manifest_pb2.FileChecksum(
                    path=name, sha256=_sha256(file), bytes=file.stat().st_size
                )
            )
    return sums


def verify_files(artifact: Artifact) -> None:
    """Compares every file that the manifest names with its checksum.

    Raises:
        ArtifactError: A file is missing or differs; the text names it.
    """
    for expected in artifact.manifest.files:
        file = inside(artifact.path, expected.path)
        if not file.is_file():
            raise ArtifactError(f"{file} is missing")
        if file.stat().st_size != expected.bytes or _sha256(file) != expected.sha256:
            raise ArtifactError(f"{file} is not the file that the manifest describes")


def saved_model_sha256(path: Path) -> str:
    """One checksum over the graph and its variables: the key of everything compiled from them."""
    digest = hashlib.sha256()
    files = [
        path / GRAPH,
        *sorted((path / "variables").glob("*")),
        *sorted((path / "assets").glob("*")),
    ]
    for file in files:
        digest.update(f"{file.relative_to(path).as_posix()} {_sha256(file)}\n".encode())
    return digest.hexdigest()


def inside(root: Path, name: str) -> Path:
    """The path of `name` below `root`.

    Raises:
        ArtifactError: It leads out of `root`, or no file can have that name.
    """
    try:
        path = (root / name).resolve()
    except ValueError as error:
        raise ArtifactError(f"{name!r} is no file's name: {error}") from error
    if not path.is_relative_to(root.resolve()):
        raise ArtifactError(f"{name!r} leads out of {root}")
    return path


def _check_golden(manifest: manifest_pb2.Manifest, source: str) -> None:
    classes = len(manifest.class_labels)
    own = [form.golden for form in manifest.compiled if form.HasField("golden")]
    for golden in (manifest.golden, *own):
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


def _input_spec(spec: manifest_pb2.InputSpec, source: str) -> InputSpec:
    if not (1 <= spec.height <= MAX_SIDE and 1 <= spec.width <= MAX_SIDE):
        raise ArtifactError(f"{source}: input is {spec.height} x {spec.width}, not 1 to {MAX_SIDE}")
    try:
        color_space = _COLOR_SPACES[spec.color_space]
        dtype = _DTYPES[spec.data_type]
        resize = _RESIZES[spec.resize]
    except KeyError as error:
        raise ArtifactError(
            f"{source}: input.color_space, data_type or resize is missing or unknown"
        ) from error
    scale, offset = _affine(spec.pixel_range, color_space.channels, source)
    if dtype == np.uint8 and not (np.all(scale == 1) and np.all(offset == 0)):
        raise ArtifactError(f"{source}: a uint8 input needs the pixel range 0 to 255")
    return InputSpec(
        signature=spec.signature or "serving_default",
        name=spec.name,
        height=spec.height,
        width=spec.width,
        color_space=color_space,
        dtype=dtype,
        resize=resize,
        scale=scale,
        offset=offset,
    )


def _affine(
    pixels: manifest_pb2.PixelRange, channels: int, source: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    if pixels.black == pixels.white:
        raise ArtifactError(f"{source}: input.pixel_range is missing or empty")
    mean, std = list(pixels.mean) or [0.0] * channels, list(pixels.std) or [1.0] * channels
    values = [pixels.black, pixels.white, *mean, *std]
    if len(mean) != channels or len(std) != channels or 0 in std:
        raise ArtifactError(f"{source}: input.pixel_range needs {channels} means and non-zero stds")
    if not all(map(math.isfinite, values)):
        raise ArtifactError(f"{source}: input.pixel_range is not finite")
    scale = (pixels.white - pixels.black) / 255 / np.asarray(std, np.float64)
    offset = (pixels.black - np.asarray(mean, np.float64)) / np.asarray(std, np.float64)
    return scale.astype(np.float32), offset.astype(np.float32)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


_COLOR_SPACES = {
    manifest_pb2.COLOR_SPACE_GRAY: ColorSpace.GRAY,
    manifest_pb2.COLOR_SPACE_RGB: ColorSpace.RGB,
    manifest_pb2.COLOR_SPACE_BGR: ColorSpace.BGR,
}
_DTYPES: dict[int, np.dtype[np.float32] | np.dtype[np.uint8]] = {
    manifest_pb2.DATA_TYPE_FLOAT32: np.dtype(np.float32),
    manifest_pb2.DATA_TYPE_UINT8: np.dtype(np.uint8),
}
_ACTIVATIONS = (manifest_pb2.ACTIVATION_PROBABILITIES, manifest_pb2.ACTIVATION_LOGITS)
_RESIZES = {
    manifest_pb2.RESIZE_RULE_BILINEAR: Resize.BILINEAR,
    manifest_pb2.RESIZE_RULE_BICUBIC: Resize.BICUBIC,
    manifest_pb2.RESIZE_RULE_NEAREST: Resize.NEAREST,
}
