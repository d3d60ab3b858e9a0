"""What a careful tutorial would do: a thread pool, one graph call a request, no batching.

It stands for the many servers that are written like this: synchronous grpcio with ten threads, the
SavedModel's signature run by TensorFlow with its own defaults, the same API as the real server.
"""

import argparse
import io
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image

from saccade.v1 import classifier_pb2 as pb
from saccade.v1 import classifier_pb2_grpc

THREADS = 10
DEFAULT_TOP_K = 5
MAX_MESSAGE_BYTES = 64 << 20


class NaiveClassifier(classifier_pb2_grpc.ImageClassifierServicer):
    """Answers Classify with one call of the graph.

    Args:
        path: Of the SavedModel.
    """

    def __init__(self, path: Path) -> None:
        self._model = tf.saved_model.load(str(path))
        self._run = self._model.signatures["serving_default"]
        (self._input, spec), *_ = self._run.structured_input_signature[1].items()
        (self._output,) = self._run.structured_outputs
        _, self._height, self._width, self._channels = spec.shape

    def Classify(  # noqa: N802 - the method's name in the API
        self, request: pb.ClassifyRequest, context: Any
    ) -> pb.ClassifyResponse:
        """Decodes, predicts, ranks."""
        try:
            images = np.stack([self._pixels(image) for image in request.images])
        except (ValueError, OSError) as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        tensor = tf.constant(images.astype(np.float32))
        rows = self._run(**{self._input: tensor})[self._output].numpy()
        count = request.top_k if request.HasField("top_k") else DEFAULT_TOP_K
        results = [self._result(row, count) for row in rows]
        return pb.ClassifyResponse(results=results, request_id=request.request_id)

    def _pixels(self, image: pb.Image) -> NDArray[np.uint8]:
        if image.HasField("pixels"):
            data = np.frombuffer(image.pixels.data, np.uint8)
            return data.reshape(self._height, self._width, self._channels)
        picture = Image.open(io.BytesIO(image.encoded)).convert(
            "L" if self._channels == 1 else "RGB"
        )
        picture = picture.resize((self._width, self._height), Image.Resampling.BICUBIC)
        return np.asarray(picture).reshape(self._height, self._width, self._channels)

    def _result(self, row: NDArray[np.float32], count: int) -> pb.ImageResult:
        best = np.argsort(-row)[:count]
        classes = [pb.ScoredClass(label=str(i), index=i, score=row[i]) for i in best]
        return pb.ImageResult(classification=pb.Classification(classes=classes))


def main() -> None:
    """Serves one SavedModel on a free port until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    given = parser.parse_args()
    server = grpc.server(
        ThreadPoolExecutor(THREADS),
        options=[("grpc.max_receive_message_length", MAX_MESSAGE_BYTES)],
    )
    # The other methods answer UNIMPLEMENTED, as the generated class has it.
    classifier = NaiveClassifier(given.model)  # type: ignore[abstract]
    classifier_pb2_grpc.add_ImageClassifierServicer_to_server(classifier, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"ready grpc=127.0.0.1:{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
