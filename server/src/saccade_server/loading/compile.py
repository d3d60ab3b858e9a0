"""Compiling a graph for LiteRT and making sure that it still is the same function."""

import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saccade.v1 import manifest_pb2
from saccade_server.artifact import Artifact
from saccade_server.engines import Engine, load_engine
from saccade_server.engines.convert import convert_to_litert
from saccade_server.errors import EngineError
from saccade_server.imaging import graph_values
from saccade_server.loading.golden import golden_error, record_golden, verify_golden

MAX_ABS_ERROR = 1e-4
"""Largest difference of a probability between the SavedModel and its compiled form."""

RANDOM_IMAGES = 16

Values = NDArray[np.uint8 | np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A compiled form in memory.

    Attributes:
        max_abs_error: Largest difference of a probability from the SavedModel's, over golden and
            random images.
        agreement: Share of random images with the same best class, 0 to 1.
        golden: What servers hold this form to; None: the manifest's golden set.
    """

    data: bytes
    max_abs_error: float
    agreement: float
    golden: manifest_pb2.GoldenSet | None


def compile_form(
    artifact: Artifact,
    *,
    quantization: str = "",
    samples: NDArray[np.float32] | None = None,
) -> Compiled:
    """Compiles an artifact's graph and compares both on the golden samples and random images.

    A quantised form may differ, and gets a golden set of its own; how much that costs is for its
    maker to measure.

    Args:
        artifact: Whose graph to compile; TensorFlow must be installed.
        quantization: See `convert_to_litert`.
        samples: See `convert_to_litert`.

    Raises:
        EngineError: The graph cannot be compiled, or the result gives other answers.
        ArtifactError: A golden sample is damaged, or comes out differently.
    """
    data = convert_to_litert(artifact, quantization=quantization, samples=samples)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "form"
        file.write_bytes(data)
        with (
            closing(load_engine(artifact, "tensorflow")) as reference,
            closing(load_engine(artifact, "litert", form=file)) as engine,
        ):
            golden = record_golden(artifact, engine) if quantization else None
            if not quantization:
                verify_golden(artifact, engine)
            error, agreement = compare(artifact, reference, engine)
            error = max(error, golden_error(artifact, engine))
    if not quantization and not (error <= MAX_ABS_ERROR and agreement == 1):
        raise EngineError(
            f"the compiled form differs by {error:.2g} from the SavedModel and has the same best "
            f"class in {agreement:.1%} of random images"
        )
    return Compiled(data=data, max_abs_error=error, agreement=agreement, golden=golden)


def compare(artifact: Artifact, reference: Engine, engine: Engine) -> tuple[float, float]:
    """Runs both engines on random images, in batches of 1 and more.

    Returns:
        The largest difference of a probability, and the share of images whose best class is the
        same or, by the reference, as good within MAX_ABS_ERROR.
    """
    spec = artifact.input
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (RANDOM_IMAGES, *spec.shape), np.uint8)
    values: Values = graph_values(pixels, spec).astype(spec.dtype, copy=False)
    expected = reference.predict(values)
    actual = np.concatenate([engine.predict(values[:1]), engine.predict(values[1:])])
    best = actual.argmax(axis=1)
    reached = np.take_along_axis(expected, best[:, np.newaxis], axis=1)[:, 0]
    agreement = float(np.mean(reached >= expected.max(axis=1) - MAX_ABS_ERROR))
    error = float(np.nan_to_num(np.abs(actual - expected), nan=np.inf).max())
    return error, agreement
