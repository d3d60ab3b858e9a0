"""The losses to train with. Each takes class indices and LOGITS.

A loss that expects probabilities but is fed logits, or the other way round, still trains, only
worse; so the networks have no softmax, and what needs one applies it here.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from saccade_models.errors import ConfigError

if TYPE_CHECKING:
    import tensorflow as tf

LOSSES = ("cross-entropy", "mse")


def build_loss(
    name: str, *, label_smoothing: float = 0.0
) -> Callable[["tf.Tensor", "tf.Tensor"], Any]:
    """The loss of that name, a function of class indices (N,) and logits (N, K); one value each.

    With the truth t, a one-hot row, `cross-entropy` is -sum(t log softmax(z)) and `mse` is the
    mean over the classes of (softmax(z) - t)^2. Smoothing by s takes (1 - s) t + s / K as the truth
    (Szegedy et al., Rethinking the Inception architecture, 2016).

    Args:
        name: one of LOSSES.
        label_smoothing: s, from 0 to below 1.

    Raises:
        ConfigError: There is no loss of that name.
    """
    if name not in LOSSES:
        raise ConfigError(f"loss must be one of {', '.join(LOSSES)}, got {name!r}")
    loss = {"cross-entropy": cross_entropy, "mse": squared_error}[name]
    return partial(loss, label_smoothing=label_smoothing)


def cross_entropy(
    labels: "tf.Tensor", logits: "tf.Tensor", *, label_smoothing: float = 0.0
) -> "tf.Tensor":
    """-sum(truth * log softmax(logits)), shape (N,)."""
    from keras import losses

    truth = _truth(labels, logits, label_smoothing)
    return losses.categorical_crossentropy(truth, logits, from_logits=True)


def squared_error(
    labels: "tf.Tensor", logits: "tf.Tensor", *, label_smoothing: float = 0.0
) -> "tf.Tensor":
    """The mean over the classes of (softmax(logits) - truth)^2, shape (N,)."""
    from keras import ops

    truth = _truth(labels, logits, label_smoothing)
    return ops.mean(ops.square(ops.softmax(logits) - truth), axis=-1)


def _truth(labels: "tf.Tensor", logits: "tf.Tensor", smoothing: float) -> "tf.Tensor":
    """Rows of probabilities, shape (N, K)."""
    from keras import ops

    classes = logits.shape[-1]
    truth = ops.one_hot(ops.cast(ops.reshape(labels, (-1,)), "int32"), classes)
    return truth * (1 - smoothing) + smoothing / classes
