"""Random changes of training images that leave their class as it is."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

AUGMENTATIONS = ("auto", "none", "writing", "clothing", "photographs")

# Chosen by cross-validation on the digits, their test split left out.
MAX_SHIFT = 0.07
MAX_TURN = 0.03
# Of an image's side.
CLOTHING_SHIFT = 1 / 14
CLOTHING_HOLE = 2 / 7

# Photographs below this side are moved, not cropped: there is nothing to zoom into.
SMALL_PHOTOGRAPH = 64
PHOTOGRAPH_SHIFT = 1 / 8
SMALL_PHOTOGRAPH_HOLE = 1 / 2
PHOTOGRAPH_HOLE = 1 / 4
LEAST_CROP = 0.5
MAX_TINT = 0.2
GRAY = 127.5

SUITABLE = {
    "digits": "writing",
    "mnist": "writing",
    "fashion-mnist": "clothing",
    "cifar10": "photographs",
    "folder": "photographs",
}


def resolve(kind: str, dataset: str) -> str:
    """What `auto` means for a data set; other kinds mean themselves."""
    return SUITABLE.get(dataset, "none") if kind == "auto" else kind


def augment(kind: str, image_shape: tuple[int, int, int]) -> "keras.Model | None":
    """The layers of that kind, for pixels 0 to 255; None for `none`.

    Their randomness lies in Keras seed generators, which a training sets anew at each epoch.
    """
    if kind == "none":
        return None
    kinds = {
        "writing": augment_writing,
        "clothing": augment_clothing,
        "photographs": augment_photographs,
    }
    return kinds[kind](image_shape)


def augment_writing(image_shape: tuple[int, int, int]) -> "keras.Model":
    """Shifts by up to 7 % of the side and turns by up to 11 degrees; the gaps are black.

    Nothing is mirrored: writing has a direction. Does nothing outside of training.
    """
    import keras
    from keras import layers

    return keras.Sequential(
        [
            keras.Input(image_shape),
            layers.RandomTranslation(MAX_SHIFT, MAX_SHIFT, fill_mode="constant"),
            layers.RandomRotation(MAX_TURN, fill_mode="constant"),
        ],
        name="augment",
    )


def augment_clothing(image_shape: tuple[int, int, int]) -> "keras.Model":
    """Shifts by up to 1/14 of the side, mirrors, and blanks a square of 2/7 of the side.

    Does nothing outside of training.
    """
    import keras

    from saccade_models.shifting import ShiftFlipErase

    side = min(image_shape[:2])
    layer = ShiftFlipErase(
        reach=round(side * CLOTHING_SHIFT), flip=True, hole=round(side * CLOTHING_HOLE)
    )
    return keras.Sequential([keras.Input(image_shape), layer], name="augment")


def augment_photographs(image_shape: tuple[int, int, int]) -> "keras.Model":
    """Mirrors, crops, changes colours and blanks a square; the square is gray, and so are gaps.

    From 64 pixels a side a part of at least half the area is enlarged to the whole, brightness,
    contrast and saturation change by up to a fifth, and the square has a quarter of the side.
    Smaller ones, as of CIFAR-10, are shifted by up to an eighth of the side (4 of 32), and the
    square has half of it. Does nothing outside of training.
    """
    import keras

    from saccade_models.cropping import CropFlip
    from saccade_models.shifting import ShiftFlipErase
    from saccade_models.tinting import Tint

    side = min(image_shape[:2])
    if side < SMALL_PHOTOGRAPH:
        reach, hole = round(side * PHOTOGRAPH_SHIFT), round(side * SMALL_PHOTOGRAPH_HOLE)
        layers = [ShiftFlipErase(reach=reach, flip=True, hole=hole, fill=GRAY)]
    else:
        hole = round(side * PHOTOGRAPH_HOLE)
        layers = [
            CropFlip(least=LEAST_CROP),
            Tint(most=MAX_TINT),
            ShiftFlipErase(reach=0, flip=False, hole=hole, fill=GRAY),
        ]
    return keras.Sequential([keras.Input(image_shape), *layers], name="augment")
