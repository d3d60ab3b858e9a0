"""What comes by when an image goes through a trained `cnn`, and when its gradient comes back.

The network that is served gives probabilities only. Here its weights are put into the same blocks
again, one operation a line, so that everything in between can be looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade_models.errors import ModelsError
from saccade_models.networks.cnn import OWN_OPTIONS
from saccade_server import artifact as layout

Floats = NDArray[np.float32]

NETWORK = "cnn"
WEIGHTS = ("w1", "b1", "w2", "b2", "w3", "b3", "w4", "b4")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedCnn:
    """The weights of a `cnn` and what its blocks are.

    `weights` has kernel and bias of both convolutions (w1, b1, w2, b2), of the hidden layer (w3,
    b3) and of the logits (w4, b4).
    """

    weights: Mapping[str, Floats]
    activation: str
    pooling: str

    def forward(self, pixels: Floats) -> dict[str, Floats]:
        """All values on the way of images.

        Args:
            pixels: shape (N, H, W, 1), values 0 to 255.

        Returns:
            By name: the scaled images `x`, then, before and after the activation, `z1`, `a1`,
            `z2`, `a2`; `pooled`; `z3`, `a3` of the hidden layer; `logits` and `probabilities`.
        """
        return {name: np.asarray(value) for name, value in self._forward(pixels).items()}

    def logits(self, pixels: Floats) -> Any:
        """The logits as a tensor, for a tape around it; shape (N, K)."""
        return self._forward(pixels)["logits"]

    def backward(self, pixels: Floats, label: int) -> dict[str, Floats]:
        """The gradients of one image's cross-entropy by all values on its way.

        Args:
            pixels: shape (1, H, W, 1), values 0 to 255.
            label: the image's class.

        Returns:
            By the names of `forward`, without the probabilities; each of its value's shape.
        """
        import tensorflow as tf

        from saccade_models.losses import build_loss

        with tf.GradientTape() as tape:
            way = self._forward(pixels, watch=tape.watch)
            loss = build_loss("cross-entropy")(tf.constant([label]), way["logits"])
        del way["probabilities"]
        return {name: value.numpy() for name, value in tape.gradient(loss, way).items()}

    def _forward(self, pixels: Floats, watch: Any = lambda value: None) -> dict[str, Any]:
        import tensorflow as tf

        activate = {"relu": tf.nn.relu, "tanh": tf.tanh, "sigmoid": tf.sigmoid}[self.activation]
        pool = {"max": tf.nn.max_pool2d, "mean": tf.nn.avg_pool2d}[self.pooling]
        w = self.weights
        way: dict[str, Any] = {}

        def keep(name: str, value: Any) -> Any:
            watch(value)
            way[name] = value
            return value

        x = keep("x", tf.constant(pixels, tf.float32) / 255)
        a1 = keep("a1", activate(keep("z1", tf.nn.conv2d(x, w["w1"], 1, "VALID") + w["b1"])))
        a2 = keep("a2", activate(keep("z2", tf.nn.conv2d(a1, w["w2"], 1, "VALID") + w["b2"])))
        pooled = keep("pooled", pool(a2, 2, 2, "VALID"))
        flat = tf.reshape(pooled, (len(pixels), -1))
        a3 = keep("a3", activate(keep("z3", flat @ w["w3"] + w["b3"])))
        way["probabilities"] = tf.nn.softmax(keep("logits", a3 @ w["w4"] + w["b4"]))
        return way


def read_cnn(folder: Path) -> TrainedCnn:
    """Reads a trained `cnn` back from an artifact.

    Raises:
        ModelsError: The artifact holds another network.
        ArtifactError: It is no artifact.
    """
    import tensorflow as tf

    made = layout.read_artifact(folder).manifest.provenance
    if made.network != NETWORK:
        raise ModelsError(f"{folder} holds the network {made.network!r}; needed is {NETWORK!r}")
    variables = tf.saved_model.load(str(folder)).weights
    weights = {name: value.numpy() for name, value in zip(WEIGHTS, variables, strict=True)}
    # An artifact tells what was chosen; what was not is the network's own.
    options = {**OWN_OPTIONS.chosen(), **made.parameters}
    return TrainedCnn(weights=weights, activation=options["activation"], pooling=options["pooling"])
