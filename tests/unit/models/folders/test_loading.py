"""A folder with a sub-folder a class as a data set."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fixtures.photographs import paint, write_classes, write_pictures
from saccade_models.datasets import Dataset, PictureForm, Split, load_dataset
from saccade_models.errors import ConfigError, ModelsError
from saccade_server.imaging import decode_image

SMALL = PictureForm(height=12, width=16)


def load(root: Path, told: list[str] | None = None, form: PictureForm = SMALL) -> Dataset:
    return load_dataset("folder", root, form=form, tell=(told if told is not None else []).append)


def rows(split: Split) -> set[bytes]:
    """The images themselves, whatever their order."""
    return {image.tobytes() for image in split.images[:]}


def decoded(folder: Path) -> set[bytes]:
    """What a server makes of all files."""
    files = [file for file in folder.rglob("*.*") if file.is_file()]
    return {decode_image(file.read_bytes(), SMALL.spec).tobytes() for file in files}


def splits(dataset: Dataset) -> tuple[Split, Split, Split]:
    return dataset.train, dataset.validation, dataset.test


def test_the_sub_folders_are_the_classes(tmp_path: Path) -> None:
    """By name, in the order of the alphabet."""
    dataset = load(write_classes(tmp_path, {"dog": 10, "cat": 20}))

    counts = [np.bincount(split.labels).tolist() for split in splits(dataset)]

    assert ("cat", "dog") == dataset.class_labels
    assert [[13, 6], [3, 2], [4, 2]] == counts


def test_pictures_are_what_a_server_makes_of_the_files(tmp_path: Path) -> None:
    """Size, filter, colours, orientation: there is one rule for training and for serving."""
    files = [*write_pictures(tmp_path / "cat", 5, seed=0)]
    files += write_pictures(tmp_path / "dog", 5, seed=100, suffix=".png")
    exif = Image.Exif()
    exif[0x0112] = 6
    paint(200).save(tmp_path / "cat" / "turned.jpg", exif=exif)

    dataset = load(tmp_path)

    expected = {
        decode_image(file.read_bytes(), SMALL.spec).tobytes() for file in tmp_path.rglob("*.*")
    }
    assert expected == set.union(*map(rows, splits(dataset)))


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".png", ".gif", ".bmp", ".webp"])
def test_all_formats_that_are_served_are_read(tmp_path: Path, suffix: str) -> None:
    """By their names, in capitals too."""
    write_classes(tmp_path, {"cat": 5})
    write_pictures(tmp_path / "dog", 5, seed=100, suffix=suffix)

    assert 10 == sum(map(len, splits(load(tmp_path))))


def test_pictures_may_be_gray(tmp_path: Path) -> None:
    """The form says it, whatever the files are."""
    root = write_classes(tmp_path, {"cat": 5, "dog": 5})

    dataset = load(root, form=PictureForm(height=8, width=9, color="gray"))

    assert ((8, 9, 1), (8, 9, 1)) == (dataset.image_shape, dataset.train.images[:1].shape[1:])


def test_pictures_are_found_in_sub_folders_of_a_class(tmp_path: Path) -> None:
    """As photographs lie in folders by day."""
    write_classes(tmp_path, {"cat": 5, "dog/monday": 3, "dog/tuesday": 4})

    assert 12 == sum(map(len, splits(load(tmp_path))))


def test_the_order_of_the_file_system_makes_no_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy whose files were made in another order is divided alike."""
    root = write_classes(tmp_path / "one", {"cat": 9, "dog": 9})
    for path in sorted(root.rglob("*.jpg"), reverse=True):
        copy = tmp_path / "two" / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    one = load(root)
    walk = os.walk
    monkeypatch.setattr(
        os, "walk", lambda top, **more: ((a, b[::-1], c[::-1]) for a, b, c in walk(top, **more))
    )

    two = load(tmp_path / "two")

    for first, second in zip(splits(one), splits(two), strict=True):
        assert np.array_equal(first.images[:], second.images[:])


def test_the_division_hangs_neither_on_size_nor_on_color(tmp_path: Path) -> None:
    """Whoever tries sizes out must not train on what was tested with another size."""
    root = write_classes(tmp_path, {"cat": 9, "dog": 9})

    one, two = load(root), load(root, form=PictureForm(height=20, width=20, color="gray"))

    assert [split.labels.tolist() for split in splits(one)] == [
        split.labels.tolist() for split in splits(two)
    ]


def test_published_parts_stay_as_they_are(tmp_path: Path) -> None:
    """`val` is another name of validation."""
    for seed, part in enumerate(["train", "val", "test"]):
        write_classes(tmp_path / part, {"cat": 4 + seed, "dog": 4}, seed=1000 * seed)

    dataset = load(tmp_path)

    assert [8, 9, 10] == [len(split) for split in splits(dataset)]
    assert decoded(tmp_path / "test") == rows(dataset.test)


def test_a_part_that_was_not_published_is_taken_from_train(tmp_path: Path) -> None:
    """The test part stays whole."""
    write_classes(tmp_path / "train", {"cat": 25, "dog": 25})
    write_classes(tmp_path / "test", {"cat": 3, "dog": 3}, seed=1000)

    assert [42, 8, 6] == [len(split) for split in splits(load(tmp_path))]


def test_train_and_test_may_be_classes(tmp_path: Path) -> None:
    """Where they hold no folders, they are no parts."""
    write_classes(tmp_path, {"test": 5, "train": 5})

    assert ("test", "train") == load(tmp_path).class_labels


def test_damaged_files_are_skipped_and_named(tmp_path: Path) -> None:
    """The first few by name and reason, all of them by count."""
    root = write_classes(tmp_path, {"cat": 10, "dog": 10})
    for number in range(6):
        path = root / "cat" / f"00{number}.jpg"
        path.write_bytes(path.read_bytes()[:300])
    (root / "dog" / "000.jpg").write_bytes(b"")
    told: list[str] = []

    dataset = load(root, told)

    assert 13 == sum(map(len, splits(dataset)))
    assert [
        "skipped 7 files, unreadable:",
        *(
            f"  cat/00{number}.jpg: damaged image, cannot be decoded (OSError)"
            for number in range(5)
        ),
        "  ... and 2 more",
    ] == told[:7]


def test_hidden_files_and_other_kinds_are_ignored_and_counted(tmp_path: Path) -> None:
    """They are no reason to stop."""
    root = write_classes(tmp_path, {"cat": 5, "dog": 5, ".cache": 3})
    for name in ("notes.txt", "more.TXT", "._000.jpg", "README"):
        (root / "cat" / name).write_bytes(b"text")
    (root / "dog" / "gone.jpg").symlink_to("nowhere")
    os.mkfifo(root / "dog" / "pipe.jpg")
    told: list[str] = []

    load(root, told)

    assert (
        "ignored 6 files that are not named as images: 2 .txt, 2 no file, 1 hidden, 1 no suffix"
    ) == told[0]


def test_a_name_that_is_no_text_is_told_as_it_can_be_printed(tmp_path: Path) -> None:
    """Neither does it fail, nor does it change the terminal's colours."""
    root = write_classes(tmp_path, {"cat": 5, "dog": 5})
    place = os.fsencode(root / "cat")
    for name in (b"\xff.jpg", b"\x1b[31m.jpg"):
        with open(os.path.join(place, name), "wb") as file:
            file.write(b"text")
    told: list[str] = []

    load(root, told)

    names = [line.partition(":")[0] for line in told[1:3]]
    assert [r"  cat/\x1b[31m.jpg", r"  cat/\udcff.jpg"] == names


def test_uneven_classes_are_shown(tmp_path: Path) -> None:
    """With the flag that helps."""
    told: list[str] = []

    load(write_classes(tmp_path, {"cat": 5, "dog": 30}), told)

    assert [
        "35 images: 22 train, 6 validation, 7 test",
        "images of a class in train: dog 19, cat 3",
        "the classes are uneven: dog 19 is 6 times cat 3; --class-weights balanced makes classes "
        "count alike",
    ] == told


def test_a_picture_that_changes_meanwhile_is_refused(tmp_path: Path) -> None:
    """Nobody trains on other images than those that were looked at."""
    root = write_classes(tmp_path, {"cat": 5, "dog": 5})
    dataset = load(root)
    for path in root.rglob("*.jpg"):
        paint(1).save(path)

    with pytest.raises(ModelsError, match=r"\.jpg changed meanwhile: start again"):
        _ = dataset.train.images[:]


def test_a_picture_that_goes_is_named(tmp_path: Path) -> None:
    """The text says which and why."""
    root = write_classes(tmp_path, {"cat": 5, "dog": 5})
    dataset = load(root)
    shutil.rmtree(root)

    with pytest.raises(ModelsError, match=r"cannot read .*\.jpg: .*No such file"):
        _ = dataset.train.images[:]


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ({}, "has no sub-folders: images must lie in one sub-folder a class"),
        ({"cat": 5, "dog": 2}, "a class needs at least 3 that can be read: dog (2)"),
        ({"cat": 5, "dog": 0}, "a class needs at least 3 that can be read: dog (0)"),
        ({"cat": 0, "dog": 0}, "a class needs at least 3 that can be read: cat (0), dog (0)"),
        ({"train/cat": 5, "train/dog": 5, "test/cow": 3}, "has classes that train has not: cow"),
        ({"train/cat": 5, "val/cat": 5, "valid/cat": 5}, "the validation part under two names"),
        ({"cat\n": 5, "dog": 5}, "cannot be a class label: rename the folder"),
    ],
)
def test_what_cannot_be_a_data_set_is_refused(
    tmp_path: Path, counts: dict[str, int], text: str
) -> None:
    """The text says what is missing."""
    with pytest.raises(ModelsError) as caught:
        load(write_classes(tmp_path, counts))

    assert text in str(caught.value)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelsError, match=r"cannot read .*nowhere: No such file or directory"):
        load(tmp_path / "nowhere")


def test_the_folder_must_be_named() -> None:
    with pytest.raises(ConfigError, match="folder needs a data-dir"):
        load_dataset("folder")


def test_a_size_is_for_pictures_without_one() -> None:
    """The others are what they were published as."""
    with pytest.raises(ConfigError, match="image-size and color are not for digits"):
        load_dataset("digits", form=SMALL)
