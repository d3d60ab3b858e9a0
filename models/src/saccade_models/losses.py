"""The losses to train with. Each takes class indices and LOGITS.

A loss that expects probabilities but is fed logits, or the other way round, still trains, only
worse; so the networks have no softmax, and what needs one applies it here.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from saccade_models.errors import ConfigError

if TYPE_CHECKING:
    import tensorflow as tf

LOSSES = ("cross-entropy", "mse")


def build_loss(name: str) -> Callable[["tf.Tensor", "tf.Tensor"], Any]:
    """The loss of that name, a function of class indices (N,) and logits (N, K).

    `cross-entropy` is -log softmax(z)[y]; `mse` is the mean over the classes of
    (softmax(z) - onehot(y))^2. Keras averages over the batch.

    Raises:
        ConfigError: There is no loss of that name.
    """
    if name not in LOSSES:
        raise ConfigError(f"loss must be one of {', '.join(LOSSES)}, got {name!r}")
    return {"cross-entropy": cross_entropy, "mse": squared_error}[name]


def cross_entropy(labels: "tf.Tensor", logits: "tf.Tensor") -> "tf.Tensor":
    """-log softmax(logits)[label], shape (N,)."""
    from keras import losses

    return losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def squared_error(labels: "tf.Tensor", logits: "tf.Tensor") -> "tf.Tensor":
    """The mean over the classes of (softmax(logits) - one-hot label)^2, shape (N,)."""
    from keras import ops

    truth = ops.one_hot(ops.cast(ops.reshape(labels, (-1,)), "int32"), logits.shape[-1])
    return ops.mean(ops.square(ops.softmax(logits) - truth), axis=-1)
