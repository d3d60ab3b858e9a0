"""A residual network of eleven layers that learns small images in minutes.

After D. Page's ResNet-9 (How to Train Your ResNet, 2018), at half its width and with a residual
block in its middle stage too.
"""

from typing import TYPE_CHECKING

from saccade_models.networks.blocks import activate, convolve
from saccade_models.networks.options import NetworkOptions

if TYPE_CHECKING:
    import keras

STEM = 32
STAGES = (64, 128, 256)
# Keeps the first logits small: the largest of each channel goes in, without a bias.
LOGIT_SCALE = 1 / 8


def build_resnet11(
    images: "keras.KerasTensor", classes: int, _options: NetworkOptions
) -> "keras.KerasTensor":
    """A convolution, then three stages of convolution, pooling and a residual block.

    1,943,712 weights for 28 x 28 x 1 images of 10 classes.

    Args:
        images: shape (N, H, W, C), values 0 to 1; H and W at least 8.
        classes: the width of the output.

    Returns:
        Logits, shape (N, classes).
    """
    from keras import layers

    x = activate(convolve(images, STEM, 3))
    for filters in STAGES:
        x = layers.MaxPooling2D(2)(activate(convolve(x, filters, 3)))
        y = activate(convolve(x, filters, 3))
        x = layers.Add()([x, activate(convolve(y, filters, 3))])
    x = layers.GlobalMaxPooling2D()(x)
    x = layers.Dense(classes, use_bias=False, name="logits")(x)
    return layers.Rescaling(LOGIT_SCALE, name="scaled_logits")(x)
