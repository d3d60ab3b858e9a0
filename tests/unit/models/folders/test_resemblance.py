"""Pictures that are nearly the same, and where they go."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fixtures.photographs import paint, write_classes
from saccade_models.datasets import PictureForm, load_dataset
from saccade_models.datasets.division import divide
from saccade_models.datasets.folder import divide_inventory
from saccade_models.datasets.inventory import Inventory, take_inventory
from saccade_models.datasets.resemblance import (
    BANDS,
    WINDOW,
    find_candidates,
    group_alike,
    see,
)

SMALL = PictureForm(height=8, width=8)


def take(root: Path) -> Inventory:
    return take_inventory(root, {"all": root}, lambda _: None)


def groups_of(root: Path, *names: str) -> list[int]:
    inventory = take(root)
    return [int(inventory.groups[list(inventory.files).index(name)]) for name in names]


@pytest.mark.parametrize(
    "changed",
    [
        lambda image: image,
        lambda image: image.resize((96, 72)),
        lambda image: image.resize((32, 32)),
        lambda image: image.convert("L"),
    ],
    ids=["again", "larger", "square", "gray"],
)
def test_a_copy_is_found(tmp_path: Path, changed: object) -> None:
    """Resized, compressed anew, or without colour."""
    root = write_classes(tmp_path, {"cat": 6, "dog": 6})
    image = Image.open(root / "cat" / "002.jpg")
    changed(image).save(root / "dog" / "copy.jpg", quality=50)  # type: ignore[operator]

    original, copy = groups_of(root, "cat/002.jpg", "dog/copy.jpg")

    assert original == copy
    assert 12 == len(set(take(root).groups))


def test_different_pictures_are_not_alike(tmp_path: Path) -> None:
    root = write_classes(tmp_path, {"cat": 150, "dog": 150})

    assert 300 == len(set(take(root).groups))


def test_flat_pictures_are_alike_by_their_shade() -> None:
    """Their hashes are all the same."""
    flat = [np.full((32, 32, 1), shade, np.uint8) for shade in (0, 1, 200)]

    groups = group_alike(np.array([b"a", b"b", b"c"]), [see(image) for image in flat])

    assert (True, True) == (groups[0] == groups[1], groups[1] != groups[2])


def test_the_cost_does_not_grow_with_the_square() -> None:
    """Pictures that all share one hash are each compared with some neighbours in each band."""
    pairs = sum(len(left) for left, _ in find_candidates(np.full(3000, 7, np.uint64)))

    assert 0 < pairs <= 3000 * WINDOW * len(BANDS) < 3000**2 / 2


def test_what_is_alike_stays_in_one_split(tmp_path: Path) -> None:
    """Whatever the groups are, none is torn."""
    random = np.random.default_rng(1)
    labels, groups = np.repeat([0, 1, 2], 200), random.integers(0, 300, 600)

    parts = divide(labels, groups, [0.16, 0.2])

    split_of = np.empty(600, int)
    for number, part in enumerate(parts):
        split_of[part] = number
    assert all(len(set(split_of[groups == group])) == 1 for group in set(groups))


def test_each_class_is_divided_alike_in_spite_of_groups() -> None:
    """16 and 20 % of each class, and every picture once."""
    labels, groups = np.repeat([0, 1, 2], 200), np.arange(600) // 2

    train, validation, test = divide(labels, groups, [0.16, 0.2])

    assert [[128] * 3, [32] * 3, [40] * 3] == [
        np.bincount(labels[part]).tolist() for part in (train, validation, test)
    ]
    assert list(range(600)) == sorted(np.concatenate([train, validation, test]))


def test_a_class_that_is_mostly_alike_is_divided_all_the_same() -> None:
    """Or it would be missing in a split: the warning of copies in several splits then tells."""
    parts = divide(
        np.repeat([0, 1], 50), np.where(np.arange(100) < 40, 0, np.arange(100)), [0.16, 0.2]
    )

    assert [[32, 32], [8, 8], [10, 10]] == [
        [int((part < 50).sum()), int((part >= 50).sum())] for part in parts
    ]


def test_a_class_of_three_is_in_each_split() -> None:
    """Rounding must not leave a split without it."""
    parts = divide(np.repeat([0, 1], [3, 50]), np.arange(53), [0.16, 0.2])

    assert [1, 1, 1] == [int((part < 3).sum()) for part in parts]


def test_a_division_is_always_the_same() -> None:
    """Another NumPy must not silently give another test split."""
    labels = np.repeat([0, 1], 10)

    _, _, test = divide(labels, np.arange(20), [0.16, 0.2])

    assert [7, 13, 16, 2] == test.tolist()


def test_copies_in_one_split_are_told(tmp_path: Path) -> None:
    """They do no harm there."""
    root = write_classes(tmp_path, {"cat": 6, "dog": 6})
    Image.open(root / "cat" / "002.jpg").save(root / "cat" / "copy.jpg", quality=50)
    told: list[str] = []

    load_dataset("folder", root, form=SMALL, tell=told.append)

    assert "2 images are nearly the same as others, and in the same split as those" == told[-1]


def test_copies_in_published_parts_are_a_leak(tmp_path: Path) -> None:
    """A warning names them; the parts stay as they were published."""
    write_classes(tmp_path / "train", {"cat": 6, "dog": 6})
    write_classes(tmp_path / "test", {"cat": 3, "dog": 3}, seed=1000)
    paint(2).save(tmp_path / "test" / "cat" / "same.png")
    told: list[str] = []

    dataset = load_dataset("folder", tmp_path, form=SMALL, tell=told.append)

    assert (
        "warning: 2 images are nearly the same as images of another split, which makes figures too "
        "good: train/cat/002.jpg = test/cat/same.png"
    ) == told[-1]
    assert 7 == len(dataset.test)


def test_a_picture_in_two_classes_is_told(tmp_path: Path) -> None:
    """One of them is wrong."""
    root = write_classes(tmp_path, {"cat": 6, "dog": 6})
    paint(2).save(root / "dog" / "same.png")
    told: list[str] = []

    load_dataset("folder", root, form=SMALL, tell=told.append)

    assert (
        "warning: nearly the same images are in different classes (1 case): "
        "cat/002.jpg = dog/same.png"
    ) == told[-1]


def test_published_parts_lose_nothing_to_the_division(tmp_path: Path) -> None:
    """Every picture is in exactly one split."""
    write_classes(tmp_path / "train", {"cat": 20, "dog": 20})
    write_classes(tmp_path / "validation", {"cat": 3, "dog": 3}, seed=1000)
    parts = {part: tmp_path / part for part in ("train", "validation")}

    chosen = divide_inventory(take_inventory(tmp_path, parts, lambda _: None))

    assert list(range(46)) == sorted(np.concatenate([*chosen.values()]).tolist())
