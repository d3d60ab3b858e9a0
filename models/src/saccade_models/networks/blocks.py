"""The layers that the batch-normalised networks are made of.

He initialisation: K. He et al., Delving Deep into Rectifiers, ICCV 2015. Batch normalisation:
S. Ioffe, C. Szegedy, ICML 2015.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

# Keras' own 0.99 takes hundreds of steps to forget where the moving statistics began: a short
# training would be measured and served with statistics that are not the data's.
BN_MOMENTUM = 0.9
BN_EPSILON = 1e-5


def convolve(
    x: "keras.KerasTensor", filters: int, size: int, *, strides: int = 1
) -> "keras.KerasTensor":
    """A convolution that keeps the border, without bias: a normalisation follows."""
    from keras import layers

    return layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
    )(x)


def normalize(x: "keras.KerasTensor") -> "keras.KerasTensor":
    """Normalises each channel: over the batch in training, by the moving statistics otherwise."""
    from saccade_models.networks.normalization import BatchNormalization

    return BatchNormalization(momentum=BN_MOMENTUM, epsilon=BN_EPSILON)(x)


def activate(x: "keras.KerasTensor") -> "keras.KerasTensor":
    """ReLU after a normalisation."""
    from keras import layers

    return layers.ReLU()(normalize(x))


def classify(x: "keras.KerasTensor", classes: int) -> "keras.KerasTensor":
    """Logits from the mean of each channel."""
    from keras import layers

    return layers.Dense(classes, name="logits")(layers.GlobalAveragePooling2D()(x))
