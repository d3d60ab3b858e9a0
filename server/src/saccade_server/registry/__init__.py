"""Which models and versions there are, and which of them answers."""

from saccade_server.registry.model_config import All, Latest, ModelConfig, Specific, VersionPolicy
from saccade_server.registry.registry import Registry
from saccade_server.registry.traffic import Traffic
from saccade_server.registry.traffic_file import TrafficFile
from saccade_server.registry.version import (
    LoadedVersion,
    Predictor,
    Scored,
    State,
    Users,
    Version,
)
from saccade_server.registry.watcher import Watcher

__all__ = [
    "All",
    "Latest",
    "LoadedVersion",
    "ModelConfig",
    "Predictor",
    "Registry",
    "Scored",
    "Specific",
    "State",
    "Traffic",
    "TrafficFile",
    "Users",
    "Version",
    "VersionPolicy",
    "Watcher",
]
