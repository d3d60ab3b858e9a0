"""Pictures are read when their turn comes, and no more of them is in memory than is said."""

import os
import threading
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fixtures.photographs import write_classes
from saccade_models.datasets import PictureForm, Split, load_dataset
from saccade_models.training.batches import AHEAD, batches, shuffled_batches

FORM = PictureForm(height=64, width=64)
IMAGE_BYTES = 64 * 64 * 3
BATCH = 8
DATA = Path(os.environ.get("SACCADE_TEST_DATA", Path(__file__).parents[5] / "shared" / "data"))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_classes(tmp_path_factory.mktemp("photographs"), {"cat": 200, "dog": 200})


def peak_bytes(root: Path, cache_bytes: int = 0) -> int:
    """What Python and NumPy held at most, over two epochs.

    In a process of its own: here a thread that another test has left may hold something too.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
        return apart.submit(trace_peak, root, cache_bytes).result()


def trace_peak(root: Path, cache_bytes: int) -> int:
    """The same, of everything that this process does."""
    read_twice(load_dataset("folder", root, form=FORM).train)  # What is imported late is, by now.
    split = load_dataset("folder", root, form=FORM, cache_bytes=cache_bytes).train
    tracemalloc.start()
    read_twice(split)
    return tracemalloc.get_traced_memory()[1]


def read_twice(split: Split) -> None:
    """Two epochs."""
    for epoch in range(2):
        for _ in shuffled_batches(split, BATCH, seed=1, epoch=epoch):
            pass


def test_an_epoch_holds_some_batches_and_not_the_split(root: Path) -> None:
    """What is trained on, what was read ahead, what is being read, and as much to spare."""
    images = len(load_dataset("folder", root, form=FORM).train)

    most = 2 * (AHEAD + 2) * BATCH * IMAGE_BYTES

    assert peak_bytes(root) < most < images * IMAGE_BYTES / 3


def test_the_cache_stays_within_its_bound(root: Path) -> None:
    """A quarter of the split is kept, and no more."""
    bound = 64 * IMAGE_BYTES

    kept = peak_bytes(root, cache_bytes=bound)

    assert bound < kept < bound + 2 * (AHEAD + 2) * BATCH * IMAGE_BYTES


def test_what_is_cached_is_not_read_again(root: Path, tmp_path: Path) -> None:
    """A small folder is decoded once: its files may be gone in the second epoch."""
    copy = write_classes(tmp_path / "pets", {"cat": 9, "dog": 9})
    train = load_dataset("folder", copy, form=FORM, cache_bytes=100 * IMAGE_BYTES).train
    first = train.images[:]
    for path in copy.rglob("*.jpg"):
        path.unlink()

    assert np.array_equal(first, train.images[:])


def test_batches_are_those_of_the_same_images_in_memory(root: Path) -> None:
    """Order and content hang on seed and epoch alone, however they are read."""
    streamed = load_dataset("folder", root, form=FORM).train
    held = Split(images=streamed.images[:], labels=streamed.labels)

    pairs = zip(
        shuffled_batches(streamed, BATCH, seed=3, epoch=2),
        shuffled_batches(held, BATCH, seed=3, epoch=2),
        strict=True,
    )

    assert all(
        np.array_equal(one[0], other[0]) and np.array_equal(one[1], other[1])
        for one, other in pairs
    )


class Counting:
    """Large images, as it says, that tell which positions were asked for."""

    def __init__(self, count: int) -> None:
        self.shape = (count, 2048, 2048, 1)
        self.asked: list[int] = []
        self.enough = threading.Event()

    def __getitem__(self, positions: slice | NDArray[np.int64]) -> NDArray[np.uint8]:
        chosen = np.arange(self.shape[0])[positions]
        self.asked += chosen.tolist()
        if len(self.asked) >= 1 + AHEAD:
            self.enough.set()
        return np.zeros((len(chosen), 1, 1, 1), np.uint8)


def test_batches_are_read_ahead_of_their_turn() -> None:
    """While one is looked at, so many more are read. Such large images come one by one."""
    images = Counting(10)
    reader = batches(Split(images=images, labels=np.zeros(10, np.int64)))

    next(reader)

    assert images.enough.wait(60)
    assert list(range(1 + AHEAD)) == images.asked
    reader.close()  # type: ignore[attr-defined]


def test_an_error_of_a_picture_comes_out_where_its_batch_is_taken() -> None:
    """Not in the reader's thread, where nobody would see it."""

    class Broken(Counting):
        def __getitem__(self, positions: slice | NDArray[np.int64]) -> NDArray[np.uint8]:
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        next(batches(Split(images=Broken(2), labels=np.zeros(2, np.int64))))


@pytest.mark.skipif(
    not (DATA / "cats-dogs").is_dir(),
    reason="the photographs are not there; SACCADE_TEST_DATA names the folder of their folder",
)
def test_real_photographs_are_read_and_a_copy_among_them_is_found() -> None:
    """1,399 of cats and dogs; dog.74 is dog.180."""
    told: list[str] = []

    dataset = load_dataset("folder", DATA / "cats-dogs", tell=told.append)

    assert [
        "1,399 images: 895 train, 224 validation, 280 test",
        "images of a class in train: cat 448, dog 447",
        "2 images are nearly the same as others, and in the same split as those",
    ] == told
    assert (128, 128, 3) == dataset.train.images[:5].shape[1:]
