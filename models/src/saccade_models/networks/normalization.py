"""Batch normalisation in one operation.

Source: S. Ioffe, C. Szegedy, Batch Normalization, ICML 2015.
"""

from typing import Any

import keras
import tensorflow as tf


class BatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]  # no types
    """Keras's layer, run by TensorFlow's fused operation, for images of shape (N, H, W, C).

    Keras puts mean, variance and scaling together from a dozen operations that each pass over the
    whole batch. The one other difference: the moving variance is made of unbiased variances.
    """

    def call(self, inputs: "tf.Tensor", training: bool = False, mask: Any = None) -> "tf.Tensor":
        """Normalises over the batch in training, by the moving statistics otherwise."""
        measured = bool(training and self.trainable)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma,
            offset=self.beta,
            mean=[] if measured else self.moving_mean,
            variance=[] if measured else self.moving_variance,
            epsilon=self.epsilon,
            is_training=measured,
        )
        if measured:
            for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
                moving.assign(moving * self.momentum + now * (1 - self.momentum))
        return outputs
