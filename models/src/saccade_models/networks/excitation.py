"""Squeeze-and-excitation: each channel weighted by what all channels hold.

Source: J. Hu et al., Squeeze-and-Excitation Networks, CVPR 2018.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

REDUCTION = 16


def excite(x: "keras.KerasTensor") -> "keras.KerasTensor":
    """Multiplies each channel by a weight of 0 to 1, learnt from the means of all channels."""
    from keras import layers

    channels = x.shape[-1]
    weights = layers.GlobalAveragePooling2D(keepdims=True)(x)
    weights = layers.Dense(
        channels // REDUCTION, activation="relu", kernel_initializer="he_normal"
    )(weights)
    weights = layers.Dense(channels, activation="sigmoid")(weights)
    return layers.Multiply()([x, weights])
