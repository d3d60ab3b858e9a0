import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from saccade_models.datasets.idx import read_idx
from saccade_models.errors import ModelsError

VALUES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


def idx(values: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


def test_an_array_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Shape and values."""
    (tmp_path / "images").write_bytes(idx(VALUES))

    assert np.array_equal(VALUES, read_idx(tmp_path / "images"))


def test_a_packed_file_is_unpacked(tmp_path: Path) -> None:
    """The published files are gzip's."""
    (tmp_path / "images.gz").write_bytes(gzip.compress(idx(VALUES)))

    assert np.array_equal(VALUES, read_idx(tmp_path / "images.gz"))


@pytest.mark.parametrize(
    "data",
    [b"", b"\0\0\x08", b"\0\0\x0d\x01\0\0\0\0", b"PNG\0" * 9, b"\0\0\x08\x02\0\0", b"\0\0\x08\xff"],
    ids=["empty", "header cut", "floats", "another format", "shape cut", "too many axes"],
)
def test_another_file_is_refused(tmp_path: Path, data: bytes) -> None:
    """The text names it."""
    (tmp_path / "images").write_bytes(data)

    with pytest.raises(ModelsError) as caught:
        read_idx(tmp_path / "images")

    assert f"{tmp_path / 'images'} is no IDX file of unsigned bytes" == str(caught.value)


@pytest.mark.parametrize("data", [idx(VALUES)[:-1], idx(VALUES) + b"\0"], ids=["short", "long"])
def test_a_file_of_another_length_than_its_header_tells_is_refused(
    tmp_path: Path, data: bytes
) -> None:
    """Half a download must not be trained on."""
    (tmp_path / "images").write_bytes(data)

    with pytest.raises(ModelsError, match=r"is damaged: its header tells 24 values"):
        read_idx(tmp_path / "images")


@pytest.mark.parametrize(
    "data", [gzip.compress(idx(VALUES))[:-9], b"no gzip"], ids=["cut", "not packed"]
)
def test_a_damaged_packing_is_refused(tmp_path: Path, data: bytes) -> None:
    """The text names the file."""
    (tmp_path / "images.gz").write_bytes(data)

    with pytest.raises(ModelsError, match=r"cannot read .*images\.gz"):
        read_idx(tmp_path / "images.gz")


def test_a_header_that_promises_too_much_is_not_believed(tmp_path: Path) -> None:
    """No memory is taken for it."""
    (tmp_path / "images").write_bytes(struct.pack(">HBBII", 0, 8, 2, 2**31, 2**31))

    with pytest.raises(ModelsError, match="no IDX file"):
        read_idx(tmp_path / "images")
