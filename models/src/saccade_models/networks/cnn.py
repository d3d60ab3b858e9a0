"""A small convolutional network: the default."""

from typing import TYPE_CHECKING

from saccade_models.networks.options import NetworkOptions

if TYPE_CHECKING:
    import keras

OWN_OPTIONS = NetworkOptions(activation="relu", pooling="max")


def build_cnn(
    images: "keras.KerasTensor", classes: int, options: NetworkOptions
) -> "keras.KerasTensor":
    """Two convolutions, one pooling, two dense layers.

    1,199,882 weights for 28 x 28 x 1 images of 10 classes.

    Args:
        images: shape (N, H, W, C), values 0 to 1; H and W at least 6.
        classes: the width of the output.
        options: activation and pooling.

    Returns:
        Logits, shape (N, classes).
    """
    from keras import layers

    settled = options.over(OWN_OPTIONS)
    pool = layers.AveragePooling2D if settled.pooling == "mean" else layers.MaxPooling2D
    x = layers.Conv2D(32, 3, activation=settled.activation)(images)
    x = layers.Conv2D(64, 3, activation=settled.activation)(x)
    x = pool(2)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(128, activation=settled.activation)(x)
    return layers.Dense(classes, name="logits")(x)
