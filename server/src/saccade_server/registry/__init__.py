"""Which models and versions there are, and which of them answers."""

from saccade_server.registry.registry import LoadedVersion, Predictor, Registry, State, Version

__all__ = ["LoadedVersion", "Predictor", "Registry", "State", "Version"]
