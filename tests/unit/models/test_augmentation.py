import keras
import numpy as np
from numpy.typing import NDArray

from saccade_models.augmentation import (
    augment_clothing,
    augment_photographs,
    augment_writing,
    resolve,
)
from saccade_models.cropping import CropFlip
from saccade_models.datasets import DATASETS
from saccade_models.shifting import ShiftFlipErase
from saccade_models.tinting import Tint


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
    assert {
        "digits": "writing",
        "mnist": "writing",
        "fashion-mnist": "clothing",
        "cifar10": "photographs",
        "folder": "photographs",
    } == {name: resolve("auto", name) for name in DATASETS}


def test_photographs_are_cropped_mirrored_and_changed_in_colour() -> None:
    """Each copy differently, with values 0 to 255, and with a gray square."""
    keras.utils.set_random_seed(1)
    images = np.random.default_rng(0).uniform(0, 255, (1, 8, 8, 3)).astype(np.float32)
    images = np.tile(images.repeat(12, axis=1).repeat(12, axis=2), (8, 1, 1, 1))

    changed = augment_photographs((96, 96, 3))(images, training=True).numpy()

    blanked = (changed == 127.5).all(axis=-1).sum(axis=(1, 2))
    assert (8, True) == (len({image.tobytes() for image in changed}), bool(blanked.min() >= 144))
    assert changed.min() >= 0
    assert changed.max() <= 255


def test_a_crop_has_at_least_the_least_part_and_is_mirrored_half_of_the_time() -> None:
    """A ramp stays a ramp, flatter by what was cropped, up or down."""
    keras.utils.set_random_seed(1)
    row = np.linspace(0, 255, 64, dtype=np.float32)
    ramp = np.tile(row[np.newaxis, np.newaxis, :, np.newaxis], (200, 64, 1, 1))

    middle = CropFlip(least=0.5)(ramp, training=True).numpy()[:, 32, :, 0]

    reach = middle[:, -1] - middle[:, 0]
    assert np.allclose(np.diff(middle), (reach / 63)[:, np.newaxis], atol=0.05)
    assert 70 < (reach > 0).sum() < 130
    assert np.abs(reach).min() >= 255 * np.sqrt(0.5 * 3 / 4) - 1
    assert np.abs(reach).max() > 250


def test_a_tint_leaves_gray_gray_and_black_dark() -> None:
    """Channels are not exchanged, and the mean moves by a fifth at most."""
    keras.utils.set_random_seed(1)
    gray = np.full((50, 8, 8, 3), 100, np.float32)

    changed = Tint(most=0.2)(gray, training=True).numpy()

    assert np.ptp(changed, axis=-1).max() < 1e-3
    assert changed.min() >= 80 - 1e-3
    assert changed.max() <= 120 + 1e-3
    assert len(np.unique(changed[:, 0, 0, 0])) > 40


def test_small_photographs_are_shifted_by_an_eighth_with_a_square_of_half_the_side() -> None:
    """As is usual for CIFAR-10: 4 pixels, 16 x 16."""
    keras.utils.set_random_seed(1)
    white = np.full((200, 32, 32, 3), 255, np.float32)

    changed = augment_photographs((32, 32, 3))(white, training=True).numpy()[..., 0]

    gaps = (changed[:, 16] != 255).sum(axis=1)
    assert {127.5, 255.0} == set(np.unique(changed))
    assert 20 == gaps.max()


def test_photographs_stay_as_they_are_outside_of_training() -> None:
    """Validation sees the pictures themselves."""
    images = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 3)).astype(np.float32)

    assert np.array_equal(images, augment_photographs((64, 64, 3))(images, training=False))
