"""Answers of the protocol, written."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade_server.services.inference.tensors import BYTES, join_elements
from saccade_server.services.ranking import best_classes


def write_scores(
    response: Any, name: str, probabilities: NDArray[np.float32], *, raw: bool
) -> None:
    """Adds an output tensor of all scores to a ModelInferResponse.

    Args:
        response: Of the request.
        name: Of the output.
        probabilities: Shape (n, K).
        raw: Whether its elements are to be raw.
    """
    output = response.outputs.add()
    output.name, output.datatype = name, "FP32"
    output.shape.extend(probabilities.shape)
    if raw:
        response.raw_output_contents.append(probabilities.astype("<f4", copy=False).tobytes())
    else:
        output.contents.fp32_contents.extend(probabilities.ravel().tolist())


def write_classes(
    response: Any,
    name: str,
    probabilities: NDArray[np.float32],
    labels: Sequence[str],
    count: int,
    *,
    raw: bool,
) -> None:
    """Adds an output tensor of the best classes: shape (n, count), each "score:index:label".

    Args:
        response: Of the request.
        name: Of the output.
        probabilities: Shape (n, K).
        labels: The texts of the K classes.
        count: 1 to K.
        raw: Whether its elements are to be raw.
    """
    output = response.outputs.add()
    output.name, output.datatype = name, BYTES
    output.shape.extend((len(probabilities), count))
    texts = [
        f"{row[index]:f}:{index}:{labels[index]}".encode()
        for row, best in zip(probabilities, best_classes(probabilities, count), strict=True)
        for index in best
    ]
    if raw:
        response.raw_output_contents.append(join_elements(texts))
    else:
        output.contents.bytes_contents.extend(texts)
