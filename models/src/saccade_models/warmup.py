"""Warm-up requests: what TensorFlow Serving runs through a version before it serves it.

Source: TensorFlow Serving's guide, "SavedModel Warmup": a TFRecord file of PredictionLog, at most
1,000 of them, of the name below in `assets.extra`. Saccade itself warms up by the golden samples.
"""

import numpy as np
from numpy.typing import NDArray

from saccade_models.golden import graph_batch
from saccade_server import artifact as layout
from saccade_server.errors import ArtifactError
from saccade_server.protocols import tensorflow_pb, tensorflow_serving_pb

FILE = f"{layout.ASSETS}/tf_serving_warmup_requests"
BATCH_IMAGES = 8
"""Of the larger request; the other one has a single image."""


def write_warmup(artifact: layout.Artifact) -> None:
    """Writes the file, of the artifact's golden samples: one image, then several at once.

    Args:
        artifact: With golden samples, at least one.

    Raises:
        ArtifactError: A golden sample is missing.
        OSError: The file can't be written.
    """
    import tensorflow as tf

    images = [sample.image for sample in artifact.golden_samples()[:BATCH_IMAGES]]
    sizes = sorted({1, len(images)})
    try:
        with tf.io.TFRecordWriter(str(artifact.path / FILE)) as writer:
            for size in sizes:
                log = _prediction_log(artifact, graph_batch(images[:size], artifact.input))
                writer.write(log)
    except tf.errors.OpError as error:
        raise OSError(f"cannot write the warm-up requests: {error.message}") from error


def check_warmup(artifact: layout.Artifact) -> int | None:
    """Reads the file back and holds each request against the manifest.

    Returns:
        The number of requests, or None where there is no file.

    Raises:
        ArtifactError: The file is damaged, or a request is not for this graph.
    """
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    file = artifact.path / FILE
    if not file.exists():
        return None
    count = 0
    try:
        for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
            log = tensorflow_serving_pb.PredictionLog.FromString(record)
            if log.WhichOneof("log_type") == "predict_log":
                _check_request(artifact, log.predict_log.request)
            count += 1
    except (tf.errors.OpError, DecodeError) as error:
        raise ArtifactError(f"{file} is no file of warm-up requests: {error}") from error
    return count


def _prediction_log(artifact: layout.Artifact, batch: NDArray[np.uint8 | np.float32]) -> bytes:
    tensor = tensorflow_pb.TensorProto(
        dtype=_data_type(artifact.input),
        tensor_shape={"dim": [{"size": size} for size in batch.shape]},
        tensor_content=np.ascontiguousarray(batch).tobytes(),
    )
    request = tensorflow_serving_pb.PredictRequest(
        model_spec={"name": artifact.manifest.model, "signature_name": artifact.input.signature},
        inputs={artifact.input.name: tensor},
    )
    log = tensorflow_serving_pb.PredictionLog(predict_log={"request": request})
    data: bytes = log.SerializeToString(deterministic=True)
    return data


def _check_request(artifact: layout.Artifact, request: object) -> None:
    """Only what would make TensorFlow Serving refuse the version: name, type, shape."""
    inputs = request.inputs  # type: ignore[attr-defined]  # known at run time only
    for name, tensor in inputs.items():
        shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
        if (name, tensor.dtype, shape[1:]) != (
            artifact.input.name,
            _data_type(artifact.input),
            artifact.input.shape,
        ):
            raise ArtifactError(
                f"{artifact.path / FILE} asks for {name!r} of shape {shape}, which is not what the "
                "graph takes"
            )


def _data_type(spec: layout.InputSpec) -> int:
    kind: int = tensorflow_pb.DT_UINT8 if spec.dtype == np.uint8 else tensorflow_pb.DT_FLOAT
    return kind
