"""GoogLeNet, the first Inception network, with batch normalisation."""

from typing import TYPE_CHECKING

from saccade_models.networks.blocks import activate, classify, convolve
from saccade_models.networks.options import NetworkOptions

if TYPE_CHECKING:
    import keras

# Table 1 of the paper: filters of 1 x 1; 3 x 3 and before it; 5 x 5 and before it; after pooling.
STAGES = (
    ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),
    (
        (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128),
    ),
    ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
)
DROPOUT = 0.4


def build_inception(
    images: "keras.KerasTensor", classes: int, _options: NetworkOptions
) -> "keras.KerasTensor":
    """Nine modules of parallel 1 x 1, 3 x 3, 5 x 5 convolutions and pooling.

    Source: C. Szegedy et al., Going Deeper with Convolutions, CVPR 2015. Each convolution is batch
    normalised (Ioffe and Szegedy, ICML 2015), which takes the place of the local response
    normalisation and of the two auxiliary classifiers.

    Args:
        images: shape (N, H, W, C), values 0 to 1; H and W at least 17: five strides of 2.
        classes: the width of the output.

    Returns:
        Logits, shape (N, classes).
    """
    from keras import layers

    x = activate(convolve(images, 64, 7, strides=2))
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    x = activate(convolve(x, 64, 1))
    x = activate(convolve(x, 192, 3))
    for modules in STAGES:
        x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
        for filters in modules:
            x = _add_module(x, *filters)
    return classify(layers.Dropout(DROPOUT)(x), classes)


def _add_module(
    x: "keras.KerasTensor", one: int, before3: int, three: int, before5: int, five: int, pooled: int
) -> "keras.KerasTensor":
    from keras import layers

    branches = [
        activate(convolve(x, one, 1)),
        activate(convolve(activate(convolve(x, before3, 1)), three, 3)),
        activate(convolve(activate(convolve(x, before5, 1)), five, 5)),
        activate(convolve(layers.MaxPooling2D(3, strides=1, padding="same")(x), pooled, 1)),
    ]
    return layers.Concatenate()(branches)
