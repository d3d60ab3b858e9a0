"""The golden samples: an engine that does not reproduce them does not serve."""

import numpy as np

from saccade_server.artifact import Artifact
from saccade_server.engines import Engine
from saccade_server.errors import ArtifactError, InvalidArgument
from saccade_server.imaging import decode_image, graph_values


def golden_error(artifact: Artifact, engine: Engine) -> float:
    """Largest absolute difference of any golden probability; 0 where there are no samples.

    The images take the way of a request's: decode, resize, engine.

    Raises:
        ArtifactError: A sample cannot be read or decoded.
        EngineError: The engine failed.
    """
    worst = 0.0
    for number, sample in enumerate(artifact.golden_samples()):
        try:
            pixels = decode_image(sample.image, artifact.input)
        except InvalidArgument as error:
            raise ArtifactError(f"golden sample {number}: {error}") from error
        values = graph_values(pixels, artifact.input)[np.newaxis]
        answer = engine.predict(values.astype(artifact.input.dtype, copy=False))[0]
        # NaN must not pass for small.
        difference = float(np.nan_to_num(np.abs(answer - sample.probabilities), nan=np.inf).max())
        worst = max(worst, difference)
    return worst


def verify_golden(artifact: Artifact, engine: Engine) -> None:
    """Refuses an engine that gives other answers than the manifest expects.

    Raises:
        ArtifactError: An answer differs by more than the manifest allows, or a sample is damaged.
        EngineError: The engine failed.
    """
    worst, allowed = golden_error(artifact, engine), artifact.manifest.golden.max_abs_error
    if worst > allowed:
        raise ArtifactError(
            f"{engine.name} gives other answers for the golden samples: "
            f"they differ by {worst:.2g}, allowed is {allowed:.2g}"
        )
