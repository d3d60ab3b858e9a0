"""Choosing and loading the engine of an artifact."""

from saccade_server.artifact import Artifact
from saccade_server.engines.base import Engine
from saccade_server.engines.tensorflow import TensorFlowEngine
from saccade_server.errors import EngineError

KINDS = ("auto", "tensorflow")


def load_engine(artifact: Artifact, kind: str = "auto", *, threads: int = 1) -> Engine:
    """Loads the artifact's graph into an engine.

    Args:
        artifact: Whose graph to load.
        kind: One of KINDS; "auto" takes the quickest that the artifact allows.
        threads: That one `predict` may use.

    Raises:
        EngineError: No engine of that kind can load this graph.
    """
    if kind not in KINDS:
        raise EngineError(f"unknown engine {kind!r}: choose one of {', '.join(KINDS)}")
    return TensorFlowEngine(artifact, threads=threads)
