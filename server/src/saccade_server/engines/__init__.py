"""What executes a graph."""

from saccade_server.engines.base import Engine
from saccade_server.engines.load import load_engine

__all__ = ["Engine", "load_engine"]
