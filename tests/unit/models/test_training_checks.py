import numpy as np
import pytest

from saccade_models.config import TrainingConfig
from saccade_models.datasets import Dataset, Split
from saccade_models.errors import ConfigError, ModelsError
from saccade_models.training.checks import check_trainable
from saccade_models.training.weighting import class_weights


def split(labels: list[int]) -> Split:
    return Split(
        images=np.zeros((len(labels), 4, 4, 1), np.uint8), labels=np.array(labels, np.int64)
    )


def dataset(
    train: list[int],
    validation: list[int] | None = None,
    test: list[int] | None = None,
    class_labels: tuple[str, ...] = ("cat", "dog"),
) -> Dataset:
    """Black images with these labels."""
    return Dataset(
        name="photos",
        class_labels=class_labels,
        train=split(train),
        validation=split([0] if validation is None else validation),
        test=split([0] if test is None else test),
    )


def test_two_classes_with_an_image_each_will_do() -> None:
    """Whether it makes sense is not for us to say."""
    check_trainable(dataset([0, 1]), batch_size=2)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            dataset([0, 0], class_labels=("cat",)),
            "photos has one class only (cat): a classifier needs two",
        ),
        (dataset([0, 0]), "photos has too few images: none to train on of dog"),
        (dataset([0, 1], []), "photos has too few images: none are left for validation"),
        (dataset([0, 1], test=[]), "photos has too few images: none are left for test"),
    ],
)
def test_what_cannot_become_a_classifier_is_refused(data: Dataset, expected: str) -> None:
    """The text says what is missing."""
    with pytest.raises(ModelsError) as caught:
        check_trainable(data, batch_size=1)

    assert expected == str(caught.value)


def test_a_batch_beyond_the_training_split_is_refused() -> None:
    """It is a wrong flag; the text says how far it goes."""
    with pytest.raises(ConfigError) as caught:
        check_trainable(dataset([0, 1, 1]), batch_size=4)

    assert "batch-size must be at most 3, the training split of photos, got 4" == str(caught.value)


def test_balanced_weights_let_classes_count_alike() -> None:
    """A class with a third of another's images counts three times as much an image."""
    data = dataset([0, 1, 1, 1])

    weights = class_weights("balanced", data)

    assert [2.0, 2 / 3] == weights.tolist()
    assert pytest.approx(4.0) == weights[data.train.labels].sum()


def test_without_weights_images_count_alike() -> None:
    assert [1.0, 1.0] == class_weights(
        TrainingConfig.default("class_weights"), dataset([0, 1, 1])
    ).tolist()
