"""The IDX file format of MNIST: a big-endian header, then bytes.

Source: Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits, 1998.
"""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saccade_models.errors import ModelsError

UNSIGNED_BYTE = 8
AXIS_BYTES = 4
MAX_VALUES = 2**30


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The array of a file, as many axes as its header tells; `.gz` is unpacked.

    Raises:
        ModelsError: The file can't be read, is no IDX file of unsigned bytes, or is not as long as
            its header says.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            zeros, kind, axes = file.read(2), file.read(1), file.read(1)
            if zeros != b"\0\0" or kind != bytes([UNSIGNED_BYTE]) or not axes:
                raise ModelsError(f"{path} is no IDX file of unsigned bytes")
            header = file.read(axes[0] * AXIS_BYTES)
            sizes = np.frombuffer(header[: len(header) // AXIS_BYTES * AXIS_BYTES], dtype=">u4")
            shape = tuple(sizes.astype(int).tolist())
            values = math.prod(shape)
            if len(shape) != axes[0] or values > MAX_VALUES:
                raise ModelsError(f"{path} is no IDX file of unsigned bytes")
            # One more than there should be, to see what is too long.
            data = file.read(values + 1)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ModelsError(f"cannot read {path}: {error}") from error
    if len(data) != values:
        raise ModelsError(f"{path} is damaged: its header tells {values} values of shape {shape}")
    return np.frombuffer(data, dtype=np.uint8).reshape(shape)
