"""What executes a graph."""

from saccade_server.engines.base import Engine
from saccade_server.engines.load import KINDS, load_engine

__all__ = ["KINDS", "Engine", "load_engine"]
