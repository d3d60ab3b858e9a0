"""The messages of TensorFlow that TensorFlow Serving's are made of (`types.proto`)."""

from typing import Any

from saccade_server.protocols.tensorflow_serving_pb import PROTOCOL


def __getattr__(name: str) -> Any:
    """A message, enum or enum value, looked up once."""
    found = globals()[name] = PROTOCOL.find("tensorflow", name)
    return found
