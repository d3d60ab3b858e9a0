import os
import struct
from pathlib import Path

import numpy as np
import pytest

from saccade_models.datasets import Dataset, load_dataset
from saccade_models.errors import ConfigError, ModelsError

TRAIN, TEST = 6_000, 20
DATA = Path(os.environ.get("SACCADE_TEST_DATA", Path(__file__).parents[4] / "shared" / "data"))
REAL = pytest.mark.skipif(
    not (DATA / "mnist").is_dir(), reason="MNIST is not there; SACCADE_TEST_DATA names its folder"
)


def labels(count: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    return (np.arange(count) % 10).astype(np.uint8)


def pictures(count: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """2 x 2 pixels that tell the label and the position."""
    images = np.zeros((count, 2, 2), np.uint8)
    images[:, 0, 0], images[:, 0, 1], images[:, 1, 0] = (
        labels(count),
        np.arange(count) % 256,
        np.arange(count) // 256,
    )
    return images


def write_idx_files(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for part, count in [("train", TRAIN), ("t10k", TEST)]:
        for kind, values in [
            ("images-idx3-ubyte", pictures(count)),
            ("labels-idx1-ubyte", labels(count)),
        ]:
            header = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
            (folder / f"{part}-{kind}").write_bytes(header + values.tobytes())


def write_archive(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        x_train=pictures(TRAIN),
        y_train=labels(TRAIN),
        x_test=pictures(TEST),
        y_test=labels(TEST),
    )


@pytest.fixture
def mnist(tmp_path: Path) -> Dataset:
    write_idx_files(tmp_path / "mnist")
    return load_dataset("mnist", tmp_path)


def test_the_published_test_part_is_the_test_split(mnist: Dataset) -> None:
    """In its order."""
    assert np.array_equal(pictures(TEST)[..., np.newaxis], mnist.test.images[:])
    assert labels(TEST).tolist() == mnist.test.labels.tolist()


def test_validation_is_taken_from_the_published_training_part(mnist: Dataset) -> None:
    """5,000 images, each class alike, and no image is lost or used twice."""
    both = np.concatenate([mnist.train.images, mnist.validation.images])[..., 0]

    assert (1_000, 5_000) == (len(mnist.train), len(mnist.validation))
    assert [500] * 10 == np.bincount(mnist.validation.labels).tolist()
    assert np.array_equal(np.unique(pictures(TRAIN), axis=0), np.unique(both, axis=0))


def test_labels_stay_with_their_images(mnist: Dataset) -> None:
    """Each picture tells its own label."""
    assert np.array_equal(mnist.train.images[:][:, 0, 0, 0], mnist.train.labels)


@pytest.mark.parametrize("where", ["", "mnist"], ids=["the folder", "a folder of that name in it"])
@pytest.mark.parametrize("form", ["idx", "npz"])
def test_local_files_are_found(tmp_path: Path, where: str, form: str) -> None:
    """IDX files or NumPy's archive, in the folder or one below."""
    if form == "idx":
        write_idx_files(tmp_path / where)
    else:
        write_archive(tmp_path / where / "mnist.npz")

    assert TEST == len(load_dataset("mnist", tmp_path).test)


def test_fashion_mnist_names_its_clothes(tmp_path: Path) -> None:
    """By the words of its publication."""
    write_idx_files(tmp_path)

    assert ("T-shirt/top", "Ankle boot") == tuple(
        load_dataset("fashion-mnist", tmp_path).class_labels[end] for end in (0, -1)
    )


def test_a_folder_without_the_data_set_is_told(tmp_path: Path) -> None:
    """And what was looked for."""
    with pytest.raises(ModelsError) as caught:
        load_dataset("mnist", tmp_path)

    assert (
        f"{tmp_path} holds no mnist: neither it nor its folder mnist has "
        "train-images-idx3-ubyte.gz, mnist.npz or folders of pictures in train and test"
    ) == str(caught.value)


def test_a_missing_part_is_told(tmp_path: Path) -> None:
    """By the name of its file."""
    write_idx_files(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()

    with pytest.raises(ModelsError, match=r"has no t10k-labels-idx1-ubyte\.gz"):
        load_dataset("mnist", tmp_path)


def test_an_archive_of_pickles_is_refused(tmp_path: Path) -> None:
    """Unpickling would run its code."""
    np.savez(tmp_path / "mnist.npz", x_train=np.array([{}], dtype=object), y_train=labels(1))

    with pytest.raises(ModelsError, match="cannot read"):
        load_dataset("mnist", tmp_path)


def test_labels_beyond_the_classes_are_refused(tmp_path: Path) -> None:
    """Before anything is trained."""
    write_idx_files(tmp_path)
    header = struct.pack(">HBBI", 0, 8, 1, TEST)
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(header + bytes([10] * TEST))

    with pytest.raises(ModelsError, match="class indices below 10"):
        load_dataset("mnist", tmp_path)


def test_an_embedded_data_set_takes_no_folder(tmp_path: Path) -> None:
    """A folder that would be ignored is a mistake."""
    with pytest.raises(ConfigError, match="digits is embedded and takes no data-dir"):
        load_dataset("digits", tmp_path)


@REAL
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_the_published_files_are_read(name: str) -> None:
    """60,000 and 10,000 gray images of 28 x 28."""
    dataset = load_dataset(name, DATA)

    assert (55_000, 5_000, 10_000, (28, 28, 1)) == (
        len(dataset.train),
        len(dataset.validation),
        len(dataset.test),
        dataset.image_shape,
    )
