"""The messages of the Open Inference Protocol, version 2 (`proto/inference`)."""

from typing import Any

from saccade_server.protocols.pool import Protocol

PROTOCOL = Protocol("inference")


def __getattr__(name: str) -> Any:
    """A message, enum or enum value, looked up once."""
    found = globals()[name] = PROTOCOL.find("inference", name)
    return found
