"""Making an engine by its name."""

from pathlib import Path

from saccade_server.artifact import Artifact
from saccade_server.engines.base import Engine
from saccade_server.engines.litert import LiteRTEngine
from saccade_server.engines.mnn import MNNEngine
from saccade_server.engines.tensorflow import TensorFlowEngine
from saccade_server.errors import EngineError

KINDS = ("mnn", "litert", "tensorflow")
"""The quickest first."""


def load_engine(
    artifact: Artifact, kind: str, *, form: Path | None = None, threads: int = 1
) -> Engine:
    """Loads the artifact's graph.

    Args:
        artifact: Whose graph to load.
        kind: One of KINDS.
        form: The compiled file, for all but "tensorflow".
        threads: That one `predict` may use; MNN uses one.

    Raises:
        EngineError: That engine cannot load this graph.
    """
    if kind == "tensorflow":
        return TensorFlowEngine(artifact, threads=threads)
    if kind not in KINDS:
        raise EngineError(f"unknown engine {kind!r}: choose {', '.join(KINDS)}")
    if form is None:
        runtime = "MNN" if kind == "mnn" else "LiteRT"
        raise EngineError(f"{artifact.path} is not compiled for {runtime}")
    return (
        MNNEngine(artifact, form)
        if kind == "mnn"
        else LiteRTEngine(artifact, form, threads=threads)
    )
