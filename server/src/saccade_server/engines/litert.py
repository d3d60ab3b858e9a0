"""The quick engine: the graph compiled for LiteRT, run on XNNPACK.

Needs no TensorFlow: a process that only runs this starts in a fraction of a second. `invoke`
lets go of the interpreter lock.
"""

from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import interpreter as litert
from numpy.typing import NDArray

from saccade_server.artifact import Artifact
from saccade_server.engines.base import check_shape, softmax
from saccade_server.engines.placement import Placement, threads_started_here
from saccade_server.errors import EngineError


class LiteRTEngine:
    """Runs the compiled form of an artifact.

    Args:
        artifact: What was compiled.
        form: The compiled file.
        threads: That one call uses.

    Raises:
        EngineError: The file is damaged, or LiteRT lacks an operation of the graph.
    """

    name = "litert"

    def __init__(self, artifact: Artifact, form: Path, *, threads: int) -> None:
        self._output = artifact.output
        self._classes = len(artifact.class_labels)
        try:
            with threads_started_here() as helpers:
                self._interpreter: Any = litert.Interpreter(str(form), num_threads=threads)
                self._input = self._interpreter.get_input_details()[0]["index"]
                # A graph that takes any size was compiled for none, and is first prepared for this.
                self._interpreter.resize_tensor_input(self._input, (1, *artifact.input.shape))
                self._interpreter.allocate_tensors()
            self._placement = Placement(helpers)
            self._scores = _find_output(self._interpreter, artifact)
            # What a loop or a branch runs is a graph of its own.
            self.bounded: bool = self._interpreter.num_subgraphs() == 1
        except (ValueError, RuntimeError, KeyError) as error:
            raise EngineError(f"LiteRT cannot load {form}: {error}") from error
        self._shape: tuple[int, ...] = (1, *artifact.input.shape)

    def predict(self, images: NDArray[np.uint8 | np.float32]) -> NDArray[np.float32]:
        """See `Engine.predict`."""
        try:
            if images.shape != self._shape:
                self._shape = ()
                self._interpreter.resize_tensor_input(self._input, images.shape)
                self._interpreter.allocate_tensors()
                self._shape = images.shape
            # Cast on the way, where `set_tensor` would want a copy of the graph's data type.
            np.copyto(self._interpreter.tensor(self._input)(), images, casting="unsafe")
            self._placement.part()
            self._interpreter.invoke()
            scores: NDArray[np.float32] = self._interpreter.get_tensor(self._scores)
        except (ValueError, RuntimeError) as error:
            raise EngineError(f"LiteRT failed: {error}") from error
        check_shape(scores, len(images), self._classes)
        return softmax(scores) if self._output.logits else scores

    def close(self) -> None:
        """See `Engine.close`."""
        self._interpreter = None


def _find_output(interpreter: Any, artifact: Artifact) -> int:
    """The tensor with the scores: of several outputs the one that the signature names so."""
    outputs = interpreter.get_output_details()
    signature = artifact.input.signature
    if len(outputs) > 1 and signature in interpreter.get_signature_list():
        outputs = [
            interpreter.get_signature_runner(signature).get_output_details()[artifact.output.name]
        ]
    index: int = outputs[0]["index"]
    return index
