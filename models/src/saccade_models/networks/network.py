"""What is known of a network before it is built."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from saccade_models.errors import ConfigError
from saccade_models.networks.options import NetworkOptions

if TYPE_CHECKING:
    import keras

Apply = Callable[["keras.KerasTensor", int, NetworkOptions], "keras.KerasTensor"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network before it is built.

    Attributes:
        name: What `--network` takes.
        summary: What it is, in some words.
        source: The publication.
        published_input: Height, width and channels of the publication's images.
        published_classes: How many it told apart.
        parameters: Of the network built for those: all that is stored, the moving statistics of
            batch normalisation included. A test builds it and counts.
        smallest_side: The least height and width for which every layer has something to do.
        channels: 1 is gray, 3 is colour.
        own_options: What it is by itself in those options that it leaves open, None in others.
        apply: Maps pixels scaled to 0..1, shape (N, H, W, C), to logits (N, classes).
    """

    name: str
    summary: str
    source: str
    published_input: tuple[int, int, int]
    published_classes: int
    parameters: int
    smallest_side: int
    channels: tuple[int, ...] = (1, 3)
    own_options: NetworkOptions = field(default_factory=NetworkOptions)
    apply: Apply

    def takes(self, image_shape: tuple[int, int, int]) -> bool:
        """Whether it can be built for images of that height, width and number of channels."""
        height, width, channels = image_shape
        return min(height, width) >= self.smallest_side and channels in self.channels

    def settle(self, options: NetworkOptions) -> NetworkOptions:
        """The options with which it would be built.

        Raises:
            ConfigError: One was chosen that this network does not leave open.
        """
        for option, value in options.chosen().items():
            if option not in self.own_options.chosen():
                raise ConfigError(
                    f"network {self.name} has its own {option}: {option} {value} is for other "
                    "networks"
                )
        return options.over(self.own_options)
