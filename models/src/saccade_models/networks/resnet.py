"""Residual networks, with and without squeeze-and-excitation.

Sources: K. He et al., Deep Residual Learning for Image Recognition, CVPR 2016; J. Hu et al.,
Squeeze-and-Excitation Networks, CVPR 2018. All of them map images (N, H, W, C), values 0 to 1, to
logits (N, classes).
"""

from typing import TYPE_CHECKING

from saccade_models.networks.blocks import activate, classify, convolve, normalize
from saccade_models.networks.excitation import excite
from saccade_models.networks.options import NetworkOptions

if TYPE_CHECKING:
    import keras

# Filters and blocks of each stage; all but the first begin with a stride of 2.
STAGES_50 = ((64, 3), (128, 4), (256, 6), (512, 3))
STAGES_20 = ((16, 3), (32, 3), (64, 3))
EXPANSION = 4


def build_resnet50(
    images: "keras.KerasTensor", classes: int, _options: NetworkOptions
) -> "keras.KerasTensor":
    """Sixteen bottleneck blocks; H and W at least 17: five strides of 2."""
    return _build_50(images, classes, excited=False)


def build_se_resnet50(
    images: "keras.KerasTensor", classes: int, _options: NetworkOptions
) -> "keras.KerasTensor":
    """The same with channels weighted in each block."""
    return _build_50(images, classes, excited=True)


def build_resnet20(
    images: "keras.KerasTensor", classes: int, _options: NetworkOptions
) -> "keras.KerasTensor":
    """Nine basic blocks for small images (section 4.2 of the paper); H and W at least 8."""
    return _build_20(images, classes, excited=False)


def build_se_resnet20(
    images: "keras.KerasTensor", classes: int, _options: NetworkOptions
) -> "keras.KerasTensor":
    """The same with channels weighted in each block."""
    return _build_20(images, classes, excited=True)


def _build_50(images: "keras.KerasTensor", classes: int, *, excited: bool) -> "keras.KerasTensor":
    from keras import layers

    x = activate(convolve(images, 64, 7, strides=2))
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    for stage, (filters, blocks) in enumerate(STAGES_50):
        for block in range(blocks):
            strides = 2 if stage > 0 and block == 0 else 1
            y = activate(convolve(x, filters, 1, strides=strides))
            y = activate(convolve(y, filters, 3))
            y = normalize(convolve(y, EXPANSION * filters, 1))
            if block == 0:
                x = normalize(convolve(x, EXPANSION * filters, 1, strides=strides))
            x = layers.ReLU()(layers.Add()([x, excite(y) if excited else y]))
    return classify(x, classes)


def _build_20(images: "keras.KerasTensor", classes: int, *, excited: bool) -> "keras.KerasTensor":
    from keras import layers

    x = activate(convolve(images, STAGES_20[0][0], 3))
    for stage, (filters, blocks) in enumerate(STAGES_20):
        for block in range(blocks):
            strides = 2 if stage > 0 and block == 0 else 1
            y = activate(convolve(x, filters, 3, strides=strides))
            y = normalize(convolve(y, filters, 3))
            if strides > 1:
                x = halve(x)
            x = layers.ReLU()(layers.Add()([x, excite(y) if excited else y]))
    return classify(x, classes)


def halve(x: "keras.KerasTensor") -> "keras.KerasTensor":
    """Every second pixel, with as many channels of zeros put on: a shortcut without weights (A)."""
    from keras import layers, ops

    zeros = x.shape[-1] // 2
    every_second = layers.MaxPooling2D(1, strides=2, padding="same")(x)
    return ops.pad(every_second, [(0, 0), (0, 0), (0, 0), (zeros, zeros)])
