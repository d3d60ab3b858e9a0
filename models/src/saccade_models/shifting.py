"""Quick random shifts, mirroring and erasing of whole batches."""

from typing import TYPE_CHECKING, Any

import keras

if TYPE_CHECKING:
    import tensorflow as tf


class ShiftFlipErase(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """Moves each image by whole pixels, mirrors half of them, blanks a square in each.

    Two gathers do it, at a small part of the cost of Keras's layers that turn and interpolate.
    Sources: shift and mirror, K. He et al., Deep Residual Learning for Image Recognition, 2016;
    the square, T. DeVries, G. Taylor, Improved Regularization of Convolutional Neural Networks
    with Cutout, 2017.

    Args:
        reach: pixels to move by at most, along each axis; 0 moves nothing.
        flip: mirror left to right, with probability 1/2.
        hole: side of the square, whose middle is anywhere in the image; 0 erases nothing.
        fill: value of the square and of the gaps, 0 to 255; 0 is black.
    """

    def __init__(
        self, *, reach: int, flip: bool, hole: int, fill: float = 0, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self._reach, self._flip, self._hole, self._fill = reach, flip, hole, fill
        self._seeds = keras.random.SeedGenerator()

    def call(self, images: "tf.Tensor", training: bool = False) -> "tf.Tensor":
        """Varies a batch of shape (N, H, W, C); gives it back unchanged outside of training."""
        if not training:
            return images
        import tensorflow as tf

        moved = self._move(images) if self._reach or self._flip else images
        if not self._hole:
            return moved
        count, (height, width) = tf.shape(images)[0], images.shape[1:3]
        inside = (
            self._within(count, height)[:, :, None, None]
            & self._within(count, width)[:, None, :, None]
        )
        return tf.where(inside, tf.constant(self._fill, images.dtype), moved)

    def _move(self, images: "tf.Tensor") -> "tf.Tensor":
        import tensorflow as tf

        count, (height, width) = tf.shape(images)[0], images.shape[1:3]
        rows = self._positions(count, height)
        columns = self._positions(count, width)
        if self._flip:
            mirrored = self._draw(count, 2) == 1
            columns = tf.where(mirrored, tf.reverse(columns, [1]), columns)
        margin = [self._reach, self._reach]
        padded = tf.pad(images, [[0, 0], margin, margin, [0, 0]], constant_values=self._fill)
        moved = tf.gather(padded, rows, axis=1, batch_dims=1)
        return tf.gather(moved, columns, axis=2, batch_dims=1)

    def _positions(self, count: "tf.Tensor", side: int) -> "tf.Tensor":
        import tensorflow as tf

        return self._draw(count, 2 * self._reach + 1) + tf.range(side)[None]

    def _within(self, count: "tf.Tensor", side: int) -> "tf.Tensor":
        """Which positions of an axis, shape (N, side), the square covers."""
        import tensorflow as tf

        first = self._draw(count, side) - self._hole // 2
        positions = tf.range(side)[None]
        return (positions >= first) & (positions < first + self._hole)

    def _draw(self, count: "tf.Tensor", below: int) -> "tf.Tensor":
        return keras.random.randint((count, 1), 0, below, dtype="int32", seed=self._seeds)
