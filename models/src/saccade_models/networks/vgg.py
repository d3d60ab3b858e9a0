"""VGG-16."""

from typing import TYPE_CHECKING

from saccade_models.networks.options import NetworkOptions

if TYPE_CHECKING:
    import keras

# Filters and convolutions of each stage; a pooling ends it.
STAGES = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
DROPOUT = 0.5


def build_vgg16(
    images: "keras.KerasTensor", classes: int, _options: NetworkOptions
) -> "keras.KerasTensor":
    """Thirteen 3 x 3 convolutions in five stages, dense 4096 twice.

    Source: K. Simonyan, A. Zisserman, Very Deep Convolutional Networks for Large-Scale Image
    Recognition, ICLR 2015, configuration D. The weights start as He's; the paper took some of them
    from a shallower network that had been trained before.

    Args:
        images: shape (N, H, W, C), values 0 to 1; H and W at least 32.
        classes: the width of the output.

    Returns:
        Logits, shape (N, classes).
    """
    from keras import layers

    x = images
    for filters, convolutions in STAGES:
        for _ in range(convolutions):
            x = layers.Conv2D(
                filters, 3, padding="same", activation="relu", kernel_initializer="he_normal"
            )(x)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    for _ in range(2):
        x = layers.Dense(4096, activation="relu", kernel_initializer="he_normal")(x)
        x = layers.Dropout(DROPOUT)(x)
    return layers.Dense(classes, name="logits")(x)
