"""Golden samples: images whose probabilities are written down. A server checks itself by them."""

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade.v1 import manifest_pb2
from saccade_models.datasets import Split
from saccade_server import artifact as layout
from saccade_server.engines import Engine
from saccade_server.imaging import decode_image, graph_values

FOLDER = "golden"
MAX_ABS_ERROR = 1e-4
UNKNOWN_TRUTH = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenPicture:
    """A picture that becomes a golden sample.

    Attributes:
        name: Of its file, without the suffix.
        pixels: Shape (H, W, 1) or (H, W, 3), gray or RGB.
        truth: The class index, or UNKNOWN_TRUTH.
    """

    name: str
    pixels: NDArray[np.uint8]
    truth: int = UNKNOWN_TRUTH


def write_golden_set(
    artifact: layout.Artifact, split: Split, engine: Engine
) -> manifest_pb2.GoldenSet:
    """Writes the first sample of each class as a PNG file, and computes its probabilities."""
    labels, positions = np.unique(split.labels, return_index=True)
    pictures = (
        GoldenPicture(name=str(label), pixels=pixels, truth=int(label))
        for label, pixels in zip(labels, split.images[positions], strict=True)
    )
    return write_golden_pictures(artifact, pictures, engine)


def write_golden_pictures(
    artifact: layout.Artifact, pictures: Iterable[GoldenPicture], engine: Engine
) -> manifest_pb2.GoldenSet:
    """Writes PNG files and computes their probabilities.

    They are computed from the file, in the way in which a server treats it.

    Raises:
        OSError: A file can't be written.
        EngineError: The engine failed.
    """
    assets = artifact.path / layout.ASSETS
    (assets / FOLDER).mkdir()
    golden = manifest_pb2.GoldenSet(max_abs_error=MAX_ABS_ERROR)
    for picture in pictures:
        path = f"{FOLDER}/{picture.name}.png"
        image = encode_png(picture.pixels)
        (assets / path).write_bytes(image)
        probabilities = engine.predict(graph_batch([image], artifact.input))[0]
        golden.samples.add(path=path, probabilities=probabilities.tolist(), truth=picture.truth)
    return golden


def graph_batch(images: Iterable[bytes], spec: layout.InputSpec) -> NDArray[np.uint8 | np.float32]:
    """Image files as a graph takes them: shape (N, H, W, C), the graph's data type and range."""
    values = [graph_values(decode_image(image, spec), spec) for image in images]
    batch: NDArray[np.uint8 | np.float32] = np.stack(values).astype(spec.dtype, copy=False)
    return batch


def encode_png(image: NDArray[np.uint8]) -> bytes:
    """The PNG file of an image of shape (H, W, 1) or (H, W, 3)."""
    buffer = BytesIO()
    Image.fromarray(image.squeeze(-1) if image.shape[-1] == 1 else image).save(buffer, "PNG")
    return buffer.getvalue()
