"""The reference engine: the SavedModel's signature, run by TensorFlow itself.

The only module of the server that imports TensorFlow, and only when an engine is loaded.
"""

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade_server.artifact import Artifact
from saccade_server.engines.base import softmax
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

    def __init__(self, artifact: Artifact, *, threads: int) -> None:
        self._tensorflow = _import_tensorflow(threads)
        self._artifact = artifact
        try:
            self._model = self._tensorflow.saved_model.load(str(artifact.path))
            self._function = self._model.signatures[artifact.input.signature]
        except Exception as error:
            raise EngineError(f"TensorFlow cannot load {artifact.path}: {error}") from error

    def predict(self, images: NDArray[np.uint8 | np.float32]) -> NDArray[np.float32]:
        """See `Engine.predict`."""
        spec, output = self._artifact.input, self._artifact.output
        try:
            batch = self._tensorflow.constant(images)
            scores = self._function(**{spec.name: batch})[output.name].numpy()
        except Exception as error:
            raise EngineError(f"TensorFlow failed: {error}") from error
        if scores.shape != (len(images), len(self._artifact.class_labels)):
            raise EngineError(f"the graph gave shape {scores.shape} for {len(images)} images")
        return softmax(scores) if output.logits else scores

    def close(self) -> None:
        """See `Engine.close`."""
        del self._function, self._model


def _import_tensorflow(threads: int) -> Any:
    # It logs its processor features otherwise; errors still show.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        import tensorflow
    except ImportError as error:
        raise EngineError(
            "this graph needs TensorFlow: pip install 'saccade-server[tensorflow]'"
        ) from error
    try:
        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:
        pass  # It is running already, with the threads it was given then.
    return tensorflow
