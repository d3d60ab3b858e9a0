"""The network `cnn` put together from the layers of reference_layers.py."""

from collections.abc import Sequence

import numpy as np

from unit.models.reference_layers import (
    ACTIVATE,
    LOSS,
    SLOPE,
    Array,
    connect,
    connect_back,
    convolve,
    convolve_back,
    flatten,
    loss_back,
    pool,
    pool_back,
    truth,
)

# Keras holds the factor in float32, whatever the layer computes in.
SCALE = float(np.float32(1 / 255))


class ReferenceCnn:
    """Pixels 0 to 255 to logits, and back.

    `weights` are kernel and bias of conv1, conv2, the hidden layer and the logits, as Keras lists
    them.
    """

    def __init__(self, weights: Sequence[Array], activation: str, pooling: str) -> None:
        self._weights = [np.asarray(weight, np.float64) for weight in weights]
        self._activation = activation
        self._pooling = pooling

    def forward(self, pixels: Array) -> dict[str, Array]:
        """All that comes by on the way of one image (H, W, C)."""
        w1, b1, w2, b2, w3, b3, w4, b4 = self._weights
        activate = ACTIVATE[self._activation]
        x = pixels * SCALE
        a1 = activate(convolve(x, w1, b1))
        a2 = activate(convolve(a1, w2, b2))
        v = flatten(pool(a2, self._pooling))
        a3 = activate(connect(v, w3, b3))
        return {"x": x, "a1": a1, "a2": a2, "v": v, "a3": a3, "z": connect(a3, w4, b4)}

    def loss(self, pixels: Array, label: int, name: str) -> float:
        """The loss of one image."""
        z = self.forward(pixels)["z"]
        return LOSS[name](z, truth(label, len(z)))

    def backward(self, pixels: Array, label: int, name: str) -> tuple[Array, list[Array]]:
        """The gradients of the loss: by the pixels, and by each weight in order."""
        _, _, w2, _, w3, _, w4, _ = self._weights
        kept, slope = self.forward(pixels), SLOPE[self._activation]
        g = loss_back(name, kept["z"], truth(label, len(kept["z"])))
        g, by_w4, by_b4 = connect_back(kept["a3"], w4, g)
        g, by_w3, by_b3 = connect_back(kept["v"], w3, g * slope(kept["a3"]))
        a2 = kept["a2"]
        g = g.reshape(a2.shape[0] // 2, a2.shape[1] // 2, -1)
        g = pool_back(a2, self._pooling, g)
        g, by_w2, by_b2 = convolve_back(kept["a1"], w2, g * slope(a2))
        g = g * slope(kept["a1"])
        g, by_w1, by_b1 = convolve_back(kept["x"], self._weights[0], g)
        return g * SCALE, [by_w1, by_b1, by_w2, by_b2, by_w3, by_b3, by_w4, by_b4]
