"""Quick random crops of whole batches."""

from typing import TYPE_CHECKING, Any

import keras

if TYPE_CHECKING:
    import tensorflow as tf

MAX_ASPECT = 4 / 3


class CropFlip(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """Enlarges a random part of each image to the image's size, and mirrors half of them.

    Source: C. Szegedy et al., Going deeper with convolutions, 2015, section 6; there the parts
    begin at 8 % of the area. Crop, mirroring and enlarging are one operation on the processor.

    Args:
        least: fraction of the area that a part has at least, above 0; at most it has all of it.
    """

    def __init__(self, *, least: float, **settings: Any) -> None:
        super().__init__(**settings)
        self._least = least
        self._seeds = keras.random.SeedGenerator()

    def call(self, images: "tf.Tensor", training: bool = False) -> "tf.Tensor":
        """Varies a batch of shape (N, H, W, C); gives it back unchanged outside of training."""
        if not training:
            return images
        import tensorflow as tf

        count = tf.shape(images)[0]
        # The sides' ratio, by its square root, evenly in the logarithm: wide as often as high.
        limit = 0.5 * tf.math.log(MAX_ASPECT)
        stretch = tf.exp(self._draw(count, -limit, limit))
        side = tf.sqrt(self._draw(count, self._least, 1))
        height, width = tf.minimum(side / stretch, 1), tf.minimum(side * stretch, 1)
        top = self._draw(count, 0, 1) * (1 - height)
        left = self._draw(count, 0, 1) * (1 - width)
        mirrored = self._draw(count, 0, 1) < 0.5
        right = left + width
        first, last = tf.where(mirrored, right, left), tf.where(mirrored, left, right)
        boxes = tf.stack([top, first, top + height, last], axis=1)
        return tf.image.crop_and_resize(images, boxes, tf.range(count), images.shape[1:3])

    def _draw(self, count: "tf.Tensor", low: Any, high: Any) -> "tf.Tensor":
        return keras.random.uniform((count,), low, high, seed=self._seeds)
