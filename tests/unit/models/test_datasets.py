import numpy as np
import pytest

from saccade_models.datasets import DATASETS, Dataset, load_dataset
from saccade_models.datasets.digits import enlarge
from saccade_models.datasets.splits import split_stratified
from saccade_models.errors import ConfigError


def test_digits_are_gray_bytes_of_28_by_28(digits: Dataset) -> None:
    """Every split has the shape and the type that the networks are fed with."""
    splits = (digits.train, digits.validation, digits.test)

    assert {((28, 28, 1), "uint8", "int64")} == {
        (split.images.shape[1:], str(split.images[:].dtype), str(split.labels.dtype))
        for split in splits
    }


def test_digits_use_the_whole_range_of_a_byte(digits: Dataset) -> None:
    """The background is black and the brightest strokes are white."""
    assert (0, 255) == (digits.train.images[:].min(), digits.train.images[:].max())


def test_digits_leave_the_margin_of_mnist() -> None:
    """A full source cell grid fills 20 x 20 pixels in the middle; what fades out is faint."""
    picture = enlarge(np.full((8, 8), 16.0))[:, :, 0]

    assert (0, True, True) == (
        picture[:, :2].max(),
        bool((picture[5:23, 5:23] > 240).all()),
        np.array_equal(picture, picture[::-1, ::-1]),
    )


def test_a_picture_looks_like_its_source() -> None:
    """Averaged back to 8 x 8, a digit is close to the cells it was made of."""
    cells = np.zeros((8, 8))
    cells[1:7, 3] = 16
    picture = enlarge(cells)[4:24, 4:24, 0].astype(float)

    column = picture.mean(axis=0)

    assert 3 == int(column.argmax() / 2.5)


def test_the_splits_have_64_16_and_20_percent(digits: Dataset) -> None:
    """All of the 1,797 samples are used."""
    assert (1149, 288, 360) == (len(digits.train), len(digits.validation), len(digits.test))


def test_each_sample_is_in_exactly_one_split() -> None:
    """Nothing is lost and nothing is used twice."""
    numbers = np.arange(250, dtype=np.uint8)

    parts = split_stratified(numbers.reshape(-1, 1, 1, 1), np.repeat(np.arange(10), 25))

    assert numbers.tolist() == sorted(np.concatenate([part.images[:].ravel() for part in parts]))


def test_the_splits_are_stratified(digits: Dataset) -> None:
    """Each class has nearly the same share in each split."""
    shares = [
        np.bincount(split.labels) / len(split)
        for split in (digits.train, digits.validation, digits.test)
    ]

    assert np.ptp(shares, axis=0).max() < 0.005


def test_the_splits_are_always_the_same(digits: Dataset) -> None:
    """Loading again gives the same division, whatever the global random state is."""
    np.random.seed(7)

    again = load_dataset("digits")

    assert np.array_equal(digits.test.images[:], again.test.images[:])


def test_the_test_split_is_the_one_of_all_published_figures(digits: Dataset) -> None:
    """Another scikit-learn must not silently give another test split."""
    assert [7, 6, 3, 7, 7] == digits.test.labels[:5].tolist()


def test_an_unknown_data_set_is_refused() -> None:
    """The text names those that there are."""
    with pytest.raises(ConfigError) as caught:
        load_dataset("letters")

    assert f"dataset must be one of {', '.join(DATASETS)}, got 'letters'" == str(caught.value)
