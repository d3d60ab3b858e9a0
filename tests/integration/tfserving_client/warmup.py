"""Prints what the official messages make of a file of warm-up requests, as JSON.

Argument: the artifact's folder. Each request is run through the SavedModel, as TensorFlow Serving
does.
"""

import json
import sys

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

(artifact,) = sys.argv[1:]
run = tf.saved_model.load(artifact).signatures["serving_default"]
said = []
for record in tf.data.TFRecordDataset(f"{artifact}/assets.extra/tf_serving_warmup_requests"):
    log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
    request = log.predict_log.request
    inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
    (scores,) = run(**{name: tf.constant(values) for name, values in inputs.items()}).values()
    said.append(
        {
            "model": request.model_spec.name,
            "signature": request.model_spec.signature_name,
            "scores": scores.numpy().tolist(),
        }
    )
json.dump(said, sys.stdout)
