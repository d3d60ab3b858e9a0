"""Making the form for MNN of the one for LiteRT, and finding out whether that is worth it."""

import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from saccade_server.artifact import Artifact
from saccade_server.engines import Engine, load_engine
from saccade_server.engines.mnn import convert_to_mnn
from saccade_server.errors import EngineError
from saccade_server.loading.compile import MAX_ABS_ERROR, compare
from saccade_server.loading.golden import golden_error

TURNS = 9
BATCH_IMAGES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class MNNForm:
    """What is known of a form that was made.

    Attributes:
        max_abs_error: Largest difference of a probability from the SavedModel's on golden samples,
            and from LiteRT's on random images with LiteRT's own from the SavedModel added.
        single_ratio: LiteRT's processor time by MNN's for one image, on this machine.
        batch_ratio: The same for BATCH_IMAGES in a call.
    """

    max_abs_error: float
    single_ratio: float
    batch_ratio: float


def make_mnn_form(artifact: Artifact, form: Path, target: Path) -> MNNForm:
    """Converts a form, and compares both.

    A runtime that ends its process takes the caller along: have it done in another one.

    Args:
        artifact: Whose manifest has golden samples.
        form: For LiteRT, not quantised.
        target: The file to write.

    Raises:
        EngineError: MNN cannot take the graph, or computes something else.
        ArtifactError: A golden sample is damaged.
    """
    if artifact.input.dtype != np.float32:
        raise EngineError(f"MNN takes graphs of float32, not of {artifact.input.dtype}")
    with closing(load_engine(artifact, "litert", form=form)) as litert:
        if not litert.bounded:
            raise EngineError("MNN takes graphs without loops and branches")
        convert_to_mnn(form, target)
        with closing(load_engine(artifact, "mnn", form=target)) as mnn:
            error, agreement = compare(artifact, litert, mnn)
            listed = max((known.max_abs_error for known in artifact.manifest.compiled), default=0.0)
            error = max(error + listed, golden_error(artifact, mnn))
            if not (error <= MAX_ABS_ERROR and agreement == 1):
                raise EngineError(
                    f"on MNN the graph differs by {error:.2g} from the SavedModel and has the same "
                    f"best class in {agreement:.1%} of random images"
                )
            single, batch = (
                _speed_ratio(artifact, litert, mnn, images) for images in (1, BATCH_IMAGES)
            )
    return MNNForm(max_abs_error=error, single_ratio=single, batch_ratio=batch)


def _speed_ratio(artifact: Artifact, slow: Engine, quick: Engine, images: int) -> float:
    """By the processor time of this process, the best of several calls in turns."""
    noise = np.random.default_rng(0).random((images, *artifact.input.shape), np.float32)
    best = {slow: float("inf"), quick: float("inf")}
    for _ in range(TURNS):
        for engine in best:
            started = time.process_time()
            engine.predict(noise)
            best[engine] = min(best[engine], time.process_time() - started)
    return best[slow] / best[quick]
