"""What can be varied in a network."""

from dataclasses import dataclass

from saccade_models.errors import ConfigError

ACTIVATIONS = ("relu", "tanh", "sigmoid")
POOLINGS = ("max", "mean")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkOptions:
    """The nonlinearity after each hidden layer, and how 2 x 2 pixels become one."""

    activation: str = "relu"
    pooling: str = "max"

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise ConfigError(
                f"activation must be one of {', '.join(ACTIVATIONS)}, got {self.activation!r}"
            )
        if self.pooling not in POOLINGS:
            raise ConfigError(f"pooling must be one of {', '.join(POOLINGS)}, got {self.pooling!r}")
