"""The API of TensorFlow Serving, on the same queue as all others.

Its messages are declared in `proto/tensorflow_serving`. Codes and texts are TensorFlow Serving's
where its clients depend on them.
"""

from saccade_server.services.tfserving.api import tensorflow_serving_methods
from saccade_server.services.tfserving.configs import read_config_file
from saccade_server.services.tfserving.models import ModelService
from saccade_server.services.tfserving.prediction import PredictionService

__all__ = ["ModelService", "PredictionService", "read_config_file", "tensorflow_serving_methods"]
