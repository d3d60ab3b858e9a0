"""Golden samples: images whose probabilities are written down. A server checks itself by them."""

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


def write_golden_set(
    artifact: layout.Artifact, split: Split, engine: Engine
) -> manifest_pb2.GoldenSet:
    """Writes the first sample of each class as a PNG file, and computes its probabilities.

    They are computed from the file, in the way in which a server treats it.
    """
    assets = artifact.path / layout.ASSETS
    (assets / FOLDER).mkdir()
    golden = manifest_pb2.GoldenSet(max_abs_error=MAX_ABS_ERROR)
    for label in np.unique(split.labels):
        path = f"{FOLDER}/{label}.png"
        image = encode_png(split.images[np.argmax(split.labels == label)])
        (assets / path).write_bytes(image)
        pixels = graph_values(decode_image(image, artifact.input), artifact.input)
        batch: NDArray[np.uint8 | np.float32] = pixels[np.newaxis].astype(artifact.input.dtype)
        probabilities = engine.predict(batch)[0]
        golden.samples.add(path=path, probabilities=probabilities.tolist(), truth=int(label))
    return golden


def encode_png(image: NDArray[np.uint8]) -> bytes:
    """The PNG file of an image of shape (H, W, 1) or (H, W, 3)."""
    buffer = BytesIO()
    Image.fromarray(image.squeeze(-1) if image.shape[-1] == 1 else image).save(buffer, "PNG")
    return buffer.getvalue()
