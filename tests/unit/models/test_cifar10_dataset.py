"""CIFAR-10 from a local archive."""

from pathlib import Path

import numpy as np
import pytest

from saccade_models.datasets import load_dataset
from saccade_models.errors import ModelsError

TRAIN = 5_100
TEST = 20


def write_archive(path: Path, side: int = 32) -> None:
    path.parent.mkdir(exist_ok=True)
    labels = (np.arange(TRAIN) % 10).astype(np.uint8)[:, np.newaxis]
    images = np.broadcast_to(labels[..., np.newaxis, np.newaxis], (TRAIN, side, side, 3))
    np.savez_compressed(
        path, x_train=images, y_train=labels, x_test=images[:TEST], y_test=labels[:TEST]
    )


@pytest.mark.parametrize("name", ["cifar10.npz", "cifar10/cifar10.npz"])
def test_the_archive_lies_in_the_folder_or_in_its_folder_cifar10(tmp_path: Path, name: str) -> None:
    write_archive(tmp_path / name)

    dataset = load_dataset("cifar10", tmp_path)

    assert (32, 32, 3) == dataset.image_shape


def test_the_published_test_part_stays_the_test_split(tmp_path: Path) -> None:
    write_archive(tmp_path / "cifar10.npz")

    dataset = load_dataset("cifar10", tmp_path)

    sizes = [len(split) for split in (dataset.train, dataset.validation, dataset.test)]
    assert [TRAIN - 5_000, 5_000, TEST] == sizes
    assert [500] * 10 == np.bincount(dataset.validation.labels).tolist()


def test_pictures_keep_their_labels(tmp_path: Path) -> None:
    write_archive(tmp_path / "cifar10.npz")

    train = load_dataset("cifar10", tmp_path).train

    assert np.array_equal(train.images[:][:, 0, 0, 0], train.labels)


def test_a_folder_without_the_archive_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ModelsError, match=r"holds no cifar10: .* has cifar10\.npz"):
        load_dataset("cifar10", tmp_path)


def test_pictures_of_another_size_are_refused(tmp_path: Path) -> None:
    write_archive(tmp_path / "cifar10.npz", side=8)

    with pytest.raises(ModelsError, match=r"must be byte images \(N, 32, 32, 3\)"):
        load_dataset("cifar10", tmp_path)


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cifar10.npz").write_bytes(b"PK\3\4 and no more")

    with pytest.raises(ModelsError, match="cannot read"):
        load_dataset("cifar10", tmp_path)
