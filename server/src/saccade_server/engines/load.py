"""Making an engine by its name."""

from pathlib import Path

from saccade_server.artifact import Artifact
from saccade_server.engines.base import Engine
from saccade_server.engines.litert import LiteRTEngine
from saccade_server.engines.tensorflow import TensorFlowEngine
from saccade_server.errors import EngineError


def load_engine(
    artifact: Artifact, kind: str, *, form: Path | None = None, threads: int = 1
) -> Engine:
    """Loads the artifact's graph.

    Args:
        artifact: Whose graph to load.
        kind: "litert" or "tensorflow".
        form: The compiled file; "litert" needs it.
        threads: That one `predict` may use.

    Raises:
        EngineError: That engine cannot load this graph.
    """
    if kind == "tensorflow":
        return TensorFlowEngine(artifact, threads=threads)
    if kind != "litert":
        raise EngineError(f"unknown engine {kind!r}: choose litert or tensorflow")
    if form is None:
        raise EngineError(f"{artifact.path} is not compiled for LiteRT")
    return LiteRTEngine(artifact, form, threads=threads)
