import keras
import numpy as np
from numpy.typing import NDArray

from saccade_models.augmentation import augment_clothing, augment_writing, resolve
from saccade_models.shifting import ShiftFlipErase


def test_pictures_move_while_training() -> None:
    """Two copies of one picture come out differently, still with values 0 to 255."""
    images = np.zeros((2, 28, 28, 1), np.float32)
    images[:, 10:18, 10:18] = 255

    changed = augment_writing((28, 28, 1))(images, training=True).numpy()

    assert not np.array_equal(changed[0], changed[1])
    assert (0, True) == (changed.min(), bool(changed.max() <= 255))


def test_pictures_stay_as_they_are_outside_of_training() -> None:
    """Validation sees the pictures themselves."""
    images = np.random.default_rng(0).uniform(0, 255, (2, 28, 28, 1)).astype(np.float32)

    same = augment_writing((28, 28, 1))(images, training=False).numpy()

    assert np.array_equal(images, same)


def ramps(count: int) -> NDArray[np.float32]:
    """Images whose pixels tell their column, from 1."""
    row = np.arange(1, 29, dtype=np.float32)
    return np.tile(row[np.newaxis, np.newaxis, :, np.newaxis], (count, 28, 1, 1))


def test_clothes_are_moved_by_two_pixels_at_most_and_half_of_them_mirrored() -> None:
    """What is left of a ramp is a ramp, up or down, that begins within the reach."""
    keras.utils.set_random_seed(1)
    layer = ShiftFlipErase(reach=2, flip=True, hole=0)

    middles = layer(ramps(200), training=True).numpy()[:, 14, 13:15, 0]

    up = middles[:, 1] - middles[:, 0] == 1
    assert np.all(np.abs(np.diff(middles)) == 1)
    assert {12, 13, 14, 15, 16} == set(middles[up, 0])
    assert {13, 14, 15, 16, 17} == set(middles[~up, 0])
    assert 70 < up.sum() < 130


def test_a_square_of_a_piece_of_clothing_is_blanked() -> None:
    """Its middle is anywhere in the image, so up to three quarters of it fall outside."""
    layer = ShiftFlipErase(reach=0, flip=False, hole=8)

    blanked = (layer(ramps(200), training=True).numpy() == 0).sum(axis=(1, 2, 3))

    assert (True, True, 64) == (blanked.min() >= 16, len(set(blanked)) > 1, blanked.max())


def test_clothes_stay_as_they_are_outside_of_training() -> None:
    """Validation sees the pictures themselves."""
    assert np.array_equal(ramps(2), augment_clothing((28, 28, 1))(ramps(2), training=False))


def test_each_data_set_has_the_augmentation_that_suits_it() -> None:
    """Writing is never mirrored."""
    assert ["writing", "writing", "clothing", "none"] == [
        resolve("auto", name) for name in ("digits", "mnist", "fashion-mnist", "others")
    ]
