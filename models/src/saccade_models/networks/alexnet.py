"""AlexNet."""

from typing import TYPE_CHECKING

from saccade_models.networks.options import NetworkOptions

if TYPE_CHECKING:
    import keras

DROPOUT = 0.5


def build_alexnet(
    images: "keras.KerasTensor", classes: int, _options: NetworkOptions
) -> "keras.KerasTensor":
    """Five convolutions, three of them in two groups, overlapping pooling, dense 4096 twice.

    Source: A. Krizhevsky, I. Sutskever, G. Hinton, ImageNet Classification with Deep Convolutional
    Neural Networks, NIPS 2012. The paper says 224 x 224; its own numbers of neurons need 227. The
    weights start as He's and the biases at 0, not with the paper's deviation of 0.01 and some 1.

    Args:
        images: shape (N, H, W, C), values 0 to 1; H and W at least 67.
        classes: the width of the output.

    Returns:
        Logits, shape (N, classes).
    """
    from keras import layers

    def convolve(x: "keras.KerasTensor", filters: int, size: int) -> "keras.KerasTensor":
        return layers.Conv2D(
            filters, size, padding="same", activation="relu", kernel_initializer="he_normal"
        )(x)

    def convolve_halves(x: "keras.KerasTensor", filters: int, size: int) -> "keras.KerasTensor":
        # Not Conv2D(groups=2): TensorFlow has no gradient of that on a processor.
        middle = x.shape[-1] // 2
        halves = x[..., :middle], x[..., middle:]
        return layers.Concatenate()([convolve(half, filters // 2, size) for half in halves])

    x = layers.Conv2D(96, 11, strides=4, activation="relu", kernel_initializer="he_normal")(images)
    x = layers.MaxPooling2D(3, strides=2)(normalize_responses(x))
    x = convolve_halves(x, 256, 5)
    x = layers.MaxPooling2D(3, strides=2)(normalize_responses(x))
    x = convolve(x, 384, 3)
    x = convolve_halves(x, 384, 3)
    x = convolve_halves(x, 256, 3)
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = layers.Flatten()(x)
    for _ in range(2):
        x = layers.Dense(4096, activation="relu", kernel_initializer="he_normal")(x)
        x = layers.Dropout(DROPOUT)(x)
    return layers.Dense(classes, name="logits")(x)


def normalize_responses(x: "keras.KerasTensor") -> "keras.KerasTensor":
    """Divides each value by what five adjacent channels hold (section 3.3 of the paper)."""
    from keras import layers, ops

    channels = x.shape[-1]
    around = ops.pad(ops.square(x), [(0, 0), (0, 0), (0, 0), (2, 2)])
    total = layers.Add()([around[..., start : start + channels] for start in range(5)])
    return x / ops.power(2 + 1e-4 * total, 0.75)
