"""What of a model is to be served: where it is, which versions, and what they are called."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from saccade_server.errors import ConfigError
from saccade_server.registry.repository import MODEL_NAME

MAX_LABEL_CHARACTERS = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """The newest versions."""

    count: int = 1

    def __post_init__(self) -> None:
        """Checks the range."""
        if self.count < 1:
            raise ConfigError(f"at least 1 version must be served, got {self.count}")

    def choose(self, versions: Sequence[int]) -> list[int]:
        """Those to serve of what the folder holds, newest first."""
        return sorted(versions, reverse=True)[: self.count]


@dataclass(frozen=True, slots=True)
class All:
    """Every version."""

    def choose(self, versions: Sequence[int]) -> list[int]:
        """See `Latest.choose`."""
        return sorted(versions, reverse=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Specific:
    """Certain versions, whether the folder holds them or not: one that is missing has failed."""

    versions: tuple[int, ...]

    def __post_init__(self) -> None:
        """Checks the numbers."""
        if not self.versions or min(self.versions) < 1:
            raise ConfigError(f"name versions by positive integers, got {self.versions}")

    def choose(self, versions: Sequence[int]) -> list[int]:
        """See `Latest.choose`."""
        return sorted(set(self.versions), reverse=True)


VersionPolicy = Latest | All | Specific


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """One model.

    Attributes:
        name: What clients ask for.
        base_path: Its folder; the versions are folders in it.
        policy: Which of them are served.
        labels: Version by its movable name.

    Raises:
        ConfigError: The name, a label or a labelled version is impossible.
    """

    name: str
    base_path: Path
    policy: VersionPolicy = Latest()
    labels: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Checks names and numbers."""
        if not MODEL_NAME.fullmatch(self.name):
            raise ConfigError(
                f"a model cannot be called {self.name!r}: take letters, digits, '_', '-', '.'"
            )
        for label, version in self.labels.items():
            if not 1 <= len(label) <= MAX_LABEL_CHARACTERS or version < 1:
                raise ConfigError(f"model {self.name!r}: the label {label!r} cannot be {version}")


def by_name(models: Iterable[ModelConfig]) -> dict[str, ModelConfig]:
    """The models by name.

    Raises:
        ConfigError: Two have the same name.
    """
    configs: dict[str, ModelConfig] = {}
    for config in models:
        if config.name in configs:
            raise ConfigError(f"the model {config.name!r} is configured twice")
        configs[config.name] = config
    return configs
