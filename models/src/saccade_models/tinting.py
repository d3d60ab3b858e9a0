"""Quick random changes of brightness, contrast and colour."""

from typing import TYPE_CHECKING, Any

import keras

if TYPE_CHECKING:
    import tensorflow as tf


class Tint(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """Changes each image's brightness, contrast and, if it has any, saturation.

    Source: A. Howard, Some improvements on deep convolutional neural network based image
    classification, 2013.

    Args:
        most: 0.2 for factors of 0.8 to 1.2.
    """

    def __init__(self, *, most: float, **settings: Any) -> None:
        super().__init__(**settings)
        self._most = most
        self._seeds = keras.random.SeedGenerator()

    def call(self, images: "tf.Tensor", training: bool = False) -> "tf.Tensor":
        """Varies a batch of pixels 0 to 255; gives it back unchanged outside of training."""
        if not training:
            return images
        import tensorflow as tf

        brightness, contrast, saturation = (self._draw(tf.shape(images)[0]) for _ in range(3))
        gray = tf.reduce_mean(images, axis=-1, keepdims=True)
        mean = tf.reduce_mean(gray, axis=(1, 2), keepdims=True)
        # All three in one pass over the pixels: b (m + c (g - m + s (x - g))).
        gain = brightness * contrast * saturation
        rest = brightness * ((1 - contrast) * mean + contrast * (1 - saturation) * gray)
        return tf.clip_by_value(gain * images + rest, 0, 255)

    def _draw(self, count: "tf.Tensor") -> "tf.Tensor":
        low, high = 1 - self._most, 1 + self._most
        return keras.random.uniform((count, 1, 1, 1), low, high, seed=self._seeds)
