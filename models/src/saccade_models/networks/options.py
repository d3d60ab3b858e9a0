"""What can be varied in a network."""

from dataclasses import dataclass, fields, replace

from saccade_models.errors import ConfigError

ACTIVATIONS = ("relu", "tanh", "sigmoid")
POOLINGS = ("max", "mean")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkOptions:
    """What somebody chose; None is the network's own.

    Attributes:
        activation: The nonlinearity after each hidden layer, one of ACTIVATIONS.
        pooling: How 2 x 2 pixels become one, one of POOLINGS.
    """

    activation: str | None = None
    pooling: str | None = None

    def __post_init__(self) -> None:
        for option, known in (("activation", ACTIVATIONS), ("pooling", POOLINGS)):
            value = getattr(self, option)
            if value is not None and value not in known:
                raise ConfigError(f"{option} must be one of {', '.join(known)}, got {value!r}")

    def chosen(self) -> dict[str, str]:
        """Those that are not None, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {option: value for option, value in values.items() if value is not None}

    def over(self, own: "NetworkOptions") -> "NetworkOptions":
        """These, and where nothing was chosen, the network's own."""
        return replace(own, **self.chosen())
