"""From a SavedModel to the form that LiteRT runs. Needs TensorFlow."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade_server.artifact import Artifact
from saccade_server.engines.tensorflow import import_tensorflow
from saccade_server.errors import EngineError

QUANTIZATIONS = ("", "dynamic", "float16", "int8")


def convert_to_litert(
    artifact: Artifact, *, quantization: str = "", samples: NDArray[np.float32] | None = None
) -> bytes:
    """Compiles the artifact's signature.

    Args:
        artifact: Whose graph to compile.
        quantization: One of QUANTIZATIONS. "dynamic": 8-bit weights; "float16": 16-bit weights;
            "int8": 8-bit weights and activations, with float inputs and outputs.
        samples: Shape (N, H, W, C), typical values at the graph's input; needed for int8, which
            takes the ranges of the activations from them.

    Raises:
        EngineError: LiteRT lacks an operation of the graph, or it cannot be loaded.
    """
    tensorflow = import_tensorflow()
    signatures = [artifact.input.signature]
    try:
        try:
            converter = tensorflow.lite.TFLiteConverter.from_saved_model(
                str(artifact.path), signature_keys=signatures
            )
        except Exception:  # noqa: BLE001 - some graphs only open with the older loader
            converter = tensorflow.compat.v1.lite.TFLiteConverter.from_saved_model(
                str(artifact.path), signature_key=signatures[0]
            )
        _set_quantization(converter, tensorflow, quantization, samples)
        form: bytes = converter.convert()
    except Exception as error:
        raise EngineError(f"LiteRT cannot take this graph: {error}") from error
    return form


def _set_quantization(
    converter: Any, tensorflow: Any, quantization: str, samples: NDArray[np.float32] | None
) -> None:
    if quantization not in QUANTIZATIONS:
        raise EngineError(f"unknown quantization {quantization!r}")
    if not quantization:
        return
    converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
    if quantization == "float16":
        converter.target_spec.supported_types = [tensorflow.float16]
    if quantization == "int8":
        if samples is None or not len(samples):
            raise EngineError("int8 needs samples of typical images")
        converter.representative_dataset = lambda: ([sample[np.newaxis]] for sample in samples)
