"""A SavedModel for Triton's Python backend.

Triton runs this file in an interpreter of its own, which finds this project's packages by the
environment only: a folder in BENCHMARK_PACKAGES.
"""

# mypy: ignore-errors
import json
import os
import sys

sys.path.insert(0, os.environ["BENCHMARK_PACKAGES"])

import numpy as np
import tensorflow as tf
import triton_python_backend_utils as triton


class TritonPythonModel:
    """What Triton calls; its configuration is `config.pbtxt`, see `triton_server.py`."""

    def initialize(self, args: dict[str, str]) -> None:
        """Loads the graph."""
        config = json.loads(args["model_config"])
        parameters = {name: each["string_value"] for name, each in config["parameters"].items()}
        if threads := int(parameters["threads"]):
            tf.config.threading.set_intra_op_parallelism_threads(threads)
        self._images = config["input"][0]["name"]
        self._scores = config["output"][0]["name"]
        self._model = tf.saved_model.load(parameters["artifact"])
        self._run = self._model.signatures["serving_default"]
        ((self._input, _),) = self._run.structured_input_signature[1].items()
        (self._output,) = self._run.structured_outputs

    def execute(self, requests: list) -> list:
        """Answers a batch: requests that Triton put together, one call of the graph."""
        # By DLPack, there and back: Triton's own conversion knows NumPy 1 only, and gives nonsense.
        parts = [
            np.from_dlpack(triton.get_input_tensor_by_name(request, self._images))
            for request in requests
        ]
        images = parts[0] if len(parts) == 1 else np.concatenate(parts)
        tensor = tf.constant(images.astype(np.float32))
        rows = self._run(**{self._input: tensor})[self._output].numpy()
        answers, start = [], 0
        for part in parts:
            scores = triton.Tensor.from_dlpack(self._scores, rows[start : start + len(part)])
            answers.append(triton.InferenceResponse([scores]))
            start += len(part)
        return answers
