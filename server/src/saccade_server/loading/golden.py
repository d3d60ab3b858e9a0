"""The golden samples: an engine that does not reproduce them does not serve."""

import math

import numpy as np
from numpy.typing import NDArray

from saccade.v1 import manifest_pb2
from saccade_server.artifact import Artifact, GoldenSample
from saccade_server.engines import Engine
from saccade_server.errors import ArtifactError, EngineError, InvalidArgument
from saccade_server.imaging import decode_image, graph_values

MARGIN = 4
"""How often its own error a quantised form may be off its own answers, on another processor.

Kernels round differently: the 8-bit ones by one step of the output, 1/256, which is at most twice
the error that rounding makes anyway. The factor leaves as much again.
"""

MAX_TOLERANCE = 0.1
"""However wrong a quantised form is, rounding does not move its answers by more."""


def golden_error(
    artifact: Artifact, engine: Engine, golden: manifest_pb2.GoldenSet | None = None
) -> float:
    """Largest absolute difference of any golden probability; 0 where there are no samples.

    The images take the way of a request's: decode, resize, engine.

    Args:
        artifact: Whose samples.
        engine: What answers.
        golden: What a compiled form is held to; None: the manifest's golden set.

    Raises:
        ArtifactError: A sample cannot be read or decoded.
        EngineError: The engine failed.
    """
    worst = 0.0
    for number, sample in enumerate(artifact.golden_samples(golden)):
        answer = _answer(artifact, engine, number, sample)
        # NaN must not pass for small.
        difference = float(np.nan_to_num(np.abs(answer - sample.probabilities), nan=np.inf).max())
        worst = max(worst, difference)
    return worst


def verify_golden(
    artifact: Artifact, engine: Engine, golden: manifest_pb2.GoldenSet | None = None
) -> None:
    """Refuses an engine that gives other answers than the manifest expects.

    Args:
        artifact: Whose samples.
        engine: What answers.
        golden: What a compiled form is held to; None: the manifest's golden set.

    Raises:
        ArtifactError: An answer differs by more than the manifest allows, or a sample is damaged.
        EngineError: The engine failed.
    """
    worst = golden_error(artifact, engine, golden)
    allowed = (golden or artifact.manifest.golden).max_abs_error
    if worst > allowed:
        raise ArtifactError(
            f"{engine.name} gives other answers for the golden samples: "
            f"they differ by {worst:.2g}, allowed is {allowed:.2g}"
        )


def record_golden(artifact: Artifact, engine: Engine) -> manifest_pb2.GoldenSet:
    """The golden set of a form that is not exact: its own answers, and how far it may be off.

    Raises:
        ArtifactError: A sample cannot be read or decoded.
        EngineError: The engine failed, or its answers are no numbers.
    """
    error = golden_error(artifact, engine)
    if not math.isfinite(error):
        raise EngineError("the compiled form gives no numbers for the golden samples")
    exact = artifact.manifest.golden
    recorded = manifest_pb2.GoldenSet(
        max_abs_error=min(max(exact.max_abs_error, MARGIN * error), MAX_TOLERANCE)
    )
    for number, (sample, one) in enumerate(
        zip(artifact.golden_samples(), exact.samples, strict=True)
    ):
        answer = _answer(artifact, engine, number, sample)
        recorded.samples.add(path=one.path, probabilities=answer.tolist(), truth=one.truth)
    return recorded


def _answer(
    artifact: Artifact, engine: Engine, number: int, sample: GoldenSample
) -> NDArray[np.float32]:
    try:
        pixels = decode_image(sample.image, artifact.input)
    except InvalidArgument as error:
        raise ArtifactError(f"golden sample {number}: {error}") from error
    values = graph_values(pixels, artifact.input)[np.newaxis]
    batch: NDArray[np.uint8 | np.float32] = values.astype(artifact.input.dtype, copy=False)
    answer: NDArray[np.float32] = engine.predict(batch)[0]
    return answer
