"""The messages of TensorFlow Serving (`proto/tensorflow_serving`)."""

from typing import Any

from saccade_server.protocols.pool import Protocol

PROTOCOL = Protocol("tensorflow_serving")


def __getattr__(name: str) -> Any:
    """A message, enum or enum value, looked up once."""
    found = globals()[name] = PROTOCOL.find("tensorflow.serving", name)
    return found
