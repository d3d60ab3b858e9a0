"""MNIST, Fashion-MNIST and CIFAR-10 as folders of PNG files."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade_models.datasets import load_dataset
from saccade_models.datasets.cifar10 import CLASS_LABELS
from saccade_models.datasets.form import PictureForm
from saccade_models.datasets.mnist import CLOTHES
from saccade_models.datasets.picture_parts import has_picture_parts, read_picture_parts
from saccade_models.errors import ModelsError

GRAY = PictureForm(height=28, width=28, color="gray")
COLOR = PictureForm(height=32, width=32)


def write_flat(folder: Path, shade: int, form: PictureForm, count: int = 1) -> None:
    """Pictures of one shade: the class index times ten."""
    stream = io.BytesIO()
    pixels = np.full(form.shape, shade, np.uint8)
    Image.fromarray(pixels.squeeze()).save(stream, "PNG")
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{number}.png").write_bytes(stream.getvalue())


def write_parts(
    root: Path, names: list[str], form: PictureForm, *, train: int = 2, test: int = 1
) -> Path:
    for part, count in (("train", train), ("test", test)):
        for index, name in enumerate(names):
            write_flat(root / part / name, index * 10, form, count)
    return root


def test_a_published_set_is_read_from_folders(tmp_path: Path) -> None:
    """In the folder of its name; parts, size and classes are those of the published archive."""
    names = [str(index) for index in range(10)]
    write_parts(tmp_path / "mnist", names, GRAY, train=502, test=2)

    dataset = load_dataset("mnist", tmp_path)

    splits = (dataset.train, dataset.validation, dataset.test)
    assert [20, 5_000, 20] == [len(split) for split in splits]
    for split in splits:
        assert np.array_equal(split.images[:][:, 14, 14, 0], split.labels * 10)


@pytest.mark.parametrize(
    "name",
    [
        lambda index: str(index),
        lambda index: CLOTHES[index].replace("/", "-"),
        lambda index: CLOTHES[index].replace("/", "_").replace(" ", "_").lower(),
    ],
    ids=["index", "label", "plain"],
)
def test_classes_are_found_by_index_or_label(tmp_path: Path, name: object) -> None:
    """A label may have lost what a folder's name can't have."""
    names = [name(index) for index in range(10)]  # type: ignore[operator]

    train, _ = read_picture_parts(write_parts(tmp_path, names, GRAY), CLOTHES, GRAY)

    images, labels = train
    assert np.array_equal(images[:, 0, 0, 0], labels * 10)
    assert [2] * 10 == np.bincount(labels).tolist()


def test_parts_are_shuffled_always_alike(tmp_path: Path) -> None:
    """The first images of a test split are not all of one class."""
    root = write_parts(tmp_path, [*CLASS_LABELS], COLOR)

    (_, first), _ = read_picture_parts(root, CLASS_LABELS, COLOR)
    (_, second), _ = read_picture_parts(root, CLASS_LABELS, COLOR)

    assert first.tolist() == second.tolist() != sorted(first)


def test_parts_are_also_called_training_and_testing(tmp_path: Path) -> None:
    (tmp_path / "training").mkdir()
    (tmp_path / "testing").mkdir()

    assert has_picture_parts(tmp_path)


def test_a_folder_that_is_no_class_is_refused(tmp_path: Path) -> None:
    """The text names those that are."""
    root = write_parts(tmp_path, [*CLASS_LABELS], COLOR)
    write_flat(root / "test" / "zebra", 0, COLOR)

    with pytest.raises(ModelsError, match=r"test/zebra is no class: .* airplane, automobile"):
        read_picture_parts(root, CLASS_LABELS, COLOR)


def test_a_class_without_images_is_refused(tmp_path: Path) -> None:
    root = write_parts(tmp_path, [*CLASS_LABELS[:8]], COLOR)

    with pytest.raises(ModelsError, match="train has no images of ship, truck"):
        read_picture_parts(root, CLASS_LABELS, COLOR)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    """A published set is whole or it is another one."""
    root = write_parts(tmp_path, [*CLASS_LABELS], COLOR)
    (root / "train" / "cat" / "1.png").write_bytes(b"\x89PNG")

    with pytest.raises(ModelsError, match=r"cannot read .*train/cat/1\.png: not an image"):
        read_picture_parts(root, CLASS_LABELS, COLOR)


def test_pictures_of_another_size_are_refused(tmp_path: Path) -> None:
    root = write_parts(tmp_path, [*CLASS_LABELS], GRAY)

    with pytest.raises(ModelsError, match=r"0\.png is 28 x 28, not 32x32"):
        read_picture_parts(root, CLASS_LABELS, COLOR)
