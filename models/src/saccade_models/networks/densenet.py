"""Densely connected networks.

Source: G. Huang et al., Densely Connected Convolutional Networks, CVPR 2017. Both map images
(N, H, W, C), values 0 to 1, to logits (N, classes).
"""

from typing import TYPE_CHECKING

from saccade_models.networks.blocks import activate, classify, convolve
from saccade_models.networks.options import NetworkOptions

if TYPE_CHECKING:
    import keras

BLOCKS_121 = (6, 12, 24, 16)
GROWTH_121 = 32
BLOCKS_40 = (12, 12, 12)
GROWTH_40 = 12


def build_densenet121(
    images: "keras.KerasTensor", classes: int, _options: NetworkOptions
) -> "keras.KerasTensor":
    """Bottlenecks and compression by half (DenseNet-BC); H and W at least 17: 5 strides of 2."""
    from keras import layers

    x = activate(convolve(images, 2 * GROWTH_121, 7, strides=2))
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    for block, count in enumerate(BLOCKS_121):
        if block > 0:
            x = _shrink(x, x.shape[-1] // 2)
        for _ in range(count):
            y = convolve(activate(x), 4 * GROWTH_121, 1)
            x = layers.Concatenate()([x, convolve(activate(y), GROWTH_121, 3)])
    return classify(activate(x), classes)


def build_densenet40(
    images: "keras.KerasTensor", classes: int, _options: NetworkOptions
) -> "keras.KerasTensor":
    """The plain form for small images, growth rate 12; H and W at least 8."""
    from keras import layers

    x = convolve(images, 16, 3)
    for block, count in enumerate(BLOCKS_40):
        if block > 0:
            x = _shrink(x, x.shape[-1])
        for _ in range(count):
            x = layers.Concatenate()([x, convolve(activate(x), GROWTH_40, 3)])
    return classify(activate(x), classes)


def _shrink(x: "keras.KerasTensor", filters: int) -> "keras.KerasTensor":
    """The transition between two blocks."""
    from keras import layers

    return layers.AveragePooling2D(2, padding="same")(convolve(activate(x), filters, 1))
