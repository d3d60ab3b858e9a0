"""LeNet-5."""

from typing import TYPE_CHECKING

from saccade_models.networks.options import NetworkOptions

if TYPE_CHECKING:
    import keras

PUBLISHED_SIDE = 32


def build_lenet5(
    images: "keras.KerasTensor", classes: int, _options: NetworkOptions
) -> "keras.KerasTensor":
    """Convolutions of 6, 16 and 120 filters of 5 x 5, mean pooling, tanh, dense 84.

    Source: Y. LeCun et al., Gradient-Based Learning Applied to Document Recognition, Proceedings
    of the IEEE, 1998. As everybody builds it today: each filter of the second convolution sees all
    channels, pooling has no weights, and the output is linear. That makes 61,706 weights of the
    paper's 60,000.

    Args:
        images: shape (N, H, W, C), values 0 to 1. The paper puts 28 x 28 digits into 32 x 32; below
            32 the first convolution does so itself.
        classes: the width of the output.

    Returns:
        Logits, shape (N, classes).
    """
    from keras import layers

    small = min(images.shape[1:3]) < PUBLISHED_SIDE
    x = layers.Conv2D(6, 5, activation="tanh", padding="same" if small else "valid")(images)
    x = layers.AveragePooling2D(2)(x)
    x = layers.Conv2D(16, 5, activation="tanh")(x)
    x = layers.AveragePooling2D(2)(x)
    x = layers.Conv2D(120, 5, activation="tanh")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(84, activation="tanh")(x)
    return layers.Dense(classes, name="logits")(x)
