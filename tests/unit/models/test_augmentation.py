import numpy as np

from saccade_models.augmentation import augment_writing


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
