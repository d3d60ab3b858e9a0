"""The reference engine: the SavedModel's signature, run by TensorFlow itself.

The only module of the server that imports TensorFlow, and only when an engine is loaded.
"""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade_server.artifact import Artifact
from saccade_server.engines.base import check_shape, softmax
from saccade_server.errors import EngineError


class TensorFlowEngine:
    """Runs one signature of a SavedModel.

    Args:
        artifact: Whose graph to load. Takes seconds, most of them to import TensorFlow.
        threads: That TensorFlow may use in this process; counts the first time only.

    Raises:
        EngineError: TensorFlow is not installed, or cannot load the graph.
    """

    name = "tensorflow"
    bounded = False  # Not looked for.

    def __init__(self, artifact: Artifact, *, threads: int) -> None:
        tensorflow = import_tensorflow(threads)
        self._artifact = artifact
        try:
            try:
                self._run = _load(tensorflow, artifact)
            except Exception:  # noqa: BLE001 - it fails in many ways; what both refuse is told
                # The loader of TensorFlow 2 trips over objects that some exporters leave beside
                # the graph; the one of TensorFlow 1 reads the graph alone.
                self._run = _load_graph(tensorflow, artifact)
        except Exception as error:
            raise EngineError(f"TensorFlow cannot load {artifact.path}: {error}") from error

    def predict(self, images: NDArray[np.uint8 | np.float32]) -> NDArray[np.float32]:
        """See `Engine.predict`."""
        scores = self.run(images.astype(self._artifact.input.dtype, copy=False))
        check_shape(scores, len(images), len(self._artifact.class_labels))
        return softmax(scores) if self._artifact.output.logits else scores

    def run(self, images: NDArray[np.uint8 | np.float32]) -> NDArray[np.float32]:
        """What the graph itself gives, whatever its shape and its meaning.

        Raises:
            EngineError: TensorFlow failed; the engine stays usable.
        """
        try:
            return self._run(images)
        except Exception as error:
            raise EngineError(f"TensorFlow failed: {error}") from error

    def close(self) -> None:
        """See `Engine.close`."""
        del self._run


_Run = Callable[[NDArray[np.uint8 | np.float32]], NDArray[np.float32]]


def _load(tensorflow: Any, artifact: Artifact) -> _Run:
    model = tensorflow.saved_model.load(str(artifact.path))
    function = model.signatures[artifact.input.signature]

    def run(images: NDArray[np.uint8 | np.float32]) -> NDArray[np.float32]:
        outputs = function(**{artifact.input.name: tensorflow.constant(images)})
        scores: NDArray[np.float32] = outputs[artifact.output.name].numpy()
        return scores

    # The function holds the variables weakly.
    run.model = model  # type: ignore[attr-defined]
    return run


def _load_graph(tensorflow: Any, artifact: Artifact) -> _Run:
    session = tensorflow.compat.v1.Session(graph=tensorflow.Graph())
    with _without_advice(tensorflow):
        meta = tensorflow.compat.v1.saved_model.load(session, ["serve"], str(artifact.path))
    signature = meta.signature_def[artifact.input.signature]
    call = session.make_callable(
        signature.outputs[artifact.output.name].name,
        [signature.inputs[artifact.input.name].name],
    )
    return lambda images: call(images)


@contextmanager
def _without_advice(tensorflow: Any) -> Iterator[None]:
    """TensorFlow advises against its older loader, which is the one that is needed here."""
    logger = tensorflow.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def import_tensorflow(threads: int = 0) -> Any:
    """The module `tensorflow`, quiet.

    Args:
        threads: That it may use in this process, 0 for as many as it likes. Once it has run a
            graph, it keeps what it has.

    Raises:
        EngineError: It is not installed.
    """
    # It logs the processor's features otherwise; errors still show.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        import tensorflow
    except ImportError as error:
        raise EngineError(
            "this graph needs TensorFlow: pip install 'saccade-server[tensorflow]'"
        ) from error
    if threads:
        with suppress(RuntimeError):  # It is running already.
            tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
            tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    return tensorflow
