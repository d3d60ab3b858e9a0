"""The handwritten digits that come with scikit-learn, laid out as in MNIST.

Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
Repository, 1998; scikit-learn holds its test part.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade_models.datasets.splits import Dataset, split_stratified

SIDE = 28
# MNIST fits a digit into 20 x 20 pixels and leaves a margin of 4.
GLYPH_SIDE = 20
SOURCE_SIDE = 8
SOURCE_WHITE = 16
# Black cells put around the source's 8 x 8, so that strokes at its edge fade like any other.
SOURCE_MARGIN = 2


def load_digits() -> Dataset:
    """1,797 digits of shape (28, 28, 1), white on black; 1,149 / 288 / 360 of them a split."""
    from sklearn import datasets

    bunch = datasets.load_digits()
    images = np.stack([enlarge(cells) for cells in bunch.images])
    train, validation, test = split_stratified(images, bunch.target.astype(np.int64))
    return Dataset(
        name="digits",
        class_labels=tuple(str(digit) for digit in range(10)),
        train=train,
        validation=validation,
        test=test,
    )


def enlarge(cells: NDArray[np.float64]) -> NDArray[np.uint8]:
    """One digit as an MNIST-like picture.

    Args:
        cells: shape (8, 8), values 0 to 16.

    Returns:
        Shape (28, 28, 1), values 0 to 255: the cells, bicubically enlarged to 20 x 20, in the
        middle.
    """
    pixels = np.round(np.pad(cells, SOURCE_MARGIN) * (255 / SOURCE_WHITE)).astype(np.uint8)
    middle = SOURCE_MARGIN + SOURCE_SIDE / 2
    reach = SIDE / 2 * SOURCE_SIDE / GLYPH_SIDE
    picture = Image.fromarray(pixels).resize(
        (SIDE, SIDE),
        Image.Resampling.BICUBIC,
        box=(middle - reach, middle - reach, middle + reach, middle + reach),
    )
    return np.asarray(picture)[:, :, np.newaxis]
