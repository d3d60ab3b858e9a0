"""MobileNetV2, as Keras has it."""

from typing import TYPE_CHECKING

from saccade_models.networks.blocks import BN_MOMENTUM, classify
from saccade_models.networks.options import NetworkOptions

if TYPE_CHECKING:
    import keras


def build_mobilenetv2(
    images: "keras.KerasTensor", classes: int, _options: NetworkOptions
) -> "keras.KerasTensor":
    """Seventeen inverted residual blocks, width 1.0.

    Source: M. Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, CVPR 2018.

    Args:
        images: shape (N, H, W, C), values 0 to 1; H and W at least 17: five strides of 2.
        classes: the width of the output.

    Returns:
        Logits, shape (N, classes).
    """
    from keras import applications, layers

    network = applications.MobileNetV2(input_tensor=images, include_top=False, weights=None)
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = BN_MOMENTUM
    return classify(network.output, classes)
