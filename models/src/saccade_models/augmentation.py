"""Random changes of training images that leave their class as it is."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

AUGMENTATIONS = ("auto", "none", "writing", "clothing")

# Chosen by cross-validation on the digits, their test split left out.
MAX_SHIFT = 0.07
MAX_TURN = 0.03
# Of an image's side.
CLOTHING_SHIFT = 1 / 14
CLOTHING_HOLE = 2 / 7

SUITABLE = {"digits": "writing", "mnist": "writing", "fashion-mnist": "clothing"}


def resolve(kind: str, dataset: str) -> str:
    """What `auto` means for a data set; other kinds mean themselves."""
    return SUITABLE.get(dataset, "none") if kind == "auto" else kind


def augment(kind: str, image_shape: tuple[int, int, int]) -> "keras.Model | None":
    """The layers of that kind, for pixels 0 to 255; None for `none`.

    Their randomness lies in Keras seed generators, which a training sets anew at each epoch.
    """
    if kind == "none":
        return None
    return {"writing": augment_writing, "clothing": augment_clothing}[kind](image_shape)


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
