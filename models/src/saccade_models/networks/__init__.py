"""The networks that can be trained, by name.

A network is a function of the image's shape, the number of classes and options; it maps pixels
scaled to 0..1 to logits. `build_classifier` puts the scaling in front, so that training and
serving can't differ in it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from saccade_models.errors import ConfigError
from saccade_models.networks.cnn import build_cnn
from saccade_models.networks.options import ACTIVATIONS, POOLINGS, NetworkOptions

if TYPE_CHECKING:
    import keras

__all__ = [
    "ACTIVATIONS",
    "NETWORKS",
    "POOLINGS",
    "Network",
    "NetworkOptions",
    "build_classifier",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network before it is built."""

    name: str
    summary: str
    apply: "Callable[[keras.KerasTensor, int, NetworkOptions], keras.KerasTensor]"


NETWORKS: Mapping[str, Network] = MappingProxyType(
    {
        network.name: network
        for network in [
            Network(
                name="cnn",
                summary="two 3 x 3 convolutions (32, 64), 2 x 2 pooling, dense 128",
                apply=build_cnn,
            )
        ]
    }
)


def build_classifier(
    name: str, image_shape: tuple[int, int, int], classes: int, options: NetworkOptions
) -> "keras.Model":
    """Builds a network with fresh weights.

    Returns:
        Maps float32 (N, H, W, C), pixels 0 to 255, to logits of shape (N, classes).

    Raises:
        ConfigError: There is no network of that name.
    """
    if name not in NETWORKS:
        raise ConfigError(f"network must be one of {', '.join(NETWORKS)}, got {name!r}")
    import keras

    images = keras.Input(image_shape, name="images")
    scaled = keras.layers.Rescaling(1 / 255, name="scale")(images)
    return keras.Model(images, NETWORKS[name].apply(scaled, classes, options), name=name)
