"""The networks that can be trained, by name.

A network is a function of the image's shape, the number of classes and options; it maps pixels
scaled to 0..1 to logits. `build_classifier` puts the scaling in front, so that training and
serving can't differ in it.
"""

from typing import TYPE_CHECKING

from saccade_models.errors import ConfigError
from saccade_models.networks.catalogue import NETWORKS
from saccade_models.networks.network import Network
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


def build_classifier(
    name: str, image_shape: tuple[int, int, int], classes: int, options: NetworkOptions
) -> "keras.Model":
    """Builds a network with fresh weights.

    Returns:
        Maps float32 (N, H, W, C), pixels 0 to 255, to logits of shape (N, classes).

    Raises:
        ConfigError: There is no network of that name, it can't take images of that shape, or it
            does not leave open what was chosen in `options`.
    """
    if name not in NETWORKS:
        raise ConfigError(f"network must be one of {', '.join(NETWORKS)}, got {name!r}")
    network = NETWORKS[name]
    settled = network.settle(options)
    _check_shape(network, image_shape)
    import keras

    images = keras.Input(image_shape, name="images")
    scaled = keras.layers.Rescaling(1 / 255, name="scale")(images)
    return keras.Model(images, network.apply(scaled, classes, settled), name=name)


def _check_shape(network: Network, image_shape: tuple[int, int, int]) -> None:
    if network.takes(image_shape):
        return
    height, width, channels = image_shape
    able = [other.name for other in NETWORKS.values() if other.takes(image_shape)]
    side = network.smallest_side
    known = " or ".join(map(str, network.channels))
    raise ConfigError(
        f"network {network.name} takes images of at least {side} x {side} pixels and {known} "
        f"channels, got {height} x {width} x {channels}; "
        + (f"these can: {', '.join(able)}" if able else "no network can")
    )
