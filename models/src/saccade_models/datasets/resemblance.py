"""Which pictures are nearly the same: copies that were resized or compressed anew.

Candidates are found by the difference hash of 64 bits (N. Krawetz, Kind of Like That, 2013: is a
pixel brighter than its left neighbour, on 9 x 8 pixels) and compared by 16 x 16 gray pixels. Of 467
photographs' copies at JPEG quality 40 all were found, of those at half the size 99 %, at another
shape 98 %; of 978,000 pairs of different photographs none was taken for a copy. Mirrored, cropped
or recoloured copies are not found. Handwritten ones that merely look alike are.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from saccade_models.datasets.form import PictureForm
from saccade_server.artifact import Resize

GLANCE = PictureForm(height=32, width=32, color="gray", resize=Resize.BILINEAR)
"""What resemblance is seen on: the same whatever size is trained on."""

MAX_BITS = 4
BANDS = ((0, 13), (13, 13), (26, 13), (39, 13), (52, 12))
"""First bit and number of bits. Of MAX_BITS differences none is in at least one of the five."""

WINDOW = 64
"""Pictures that share a band are compared with so many neighbours, by the order of their hashes:
the cost grows with the number of pictures, not with its square, however alike they are."""

MIN_CONTRAST_RATIO = 30
"""How many times its distance from a copy, less one gray level, a picture's own deviation must be.
At 12 nearly all of MNIST's ones hang together in one chain of resemblances."""

CHUNK_PAIRS = 8192
SMALL_SIDE = 16


Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Positions of the one and of the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What is kept of a picture to compare it by: its hash, and 256 gray pixels."""

    bits: int
    pixels: bytes


def see(glance: NDArray[np.uint8]) -> Sight:
    """The sight of a picture that was decoded in the form GLANCE."""
    gray = Image.fromarray(glance[:, :, 0])
    cells = np.asarray(gray.resize((9, 8), Image.Resampling.BOX))
    bits = np.packbits(cells[:, 1:] > cells[:, :-1]).tobytes()
    small = np.asarray(gray.resize((SMALL_SIDE, SMALL_SIDE), Image.Resampling.BOX))
    return Sight(bits=int.from_bytes(bits, "big"), pixels=small.tobytes())


def group_alike(digests: NDArray[np.bytes_], sights: list[Sight]) -> NDArray[np.int64]:
    """Numbers a group for each picture: the same one for pictures that are nearly the same.

    What resembles a third picture is in one group with it.

    Args:
        digests: Shape (N,), of the files; the same bytes are the same picture.
        sights: N of them.

    Returns:
        Shape (N,), from 0.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    _, first, of_file = np.unique(digests, return_index=True, return_inverse=True)
    bits = np.array([sights[position].bits for position in first], np.uint64)
    pixels = np.frombuffer(b"".join(sights[position].pixels for position in first), np.uint8)
    pixels = pixels.reshape(len(first), -1)
    groups = np.arange(len(first))
    for left, right in find_candidates(bits):
        apart = groups[left] != groups[right]
        left, right = left[apart], right[apart]
        same = _look_alike(pixels, left, right)
        if same.any():
            edges = (np.ones(same.sum()), (groups[left[same]], groups[right[same]]))
            joined = connected_components(coo_array(edges, shape=(len(first),) * 2), directed=False)
            groups = joined[1][groups]
    result: NDArray[np.int64] = groups[of_file]
    return result


def members_of_several(groups: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The positions of each group that has more than one picture."""
    order = np.argsort(groups, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    return [part for part in parts if len(part) > 1]


def find_candidates(
    bits: NDArray[np.uint64],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs that differ in at most MAX_BITS."""
    for start, length in BANDS:
        keys = (bits >> np.uint64(start)) & np.uint64((1 << length) - 1)
        order = np.lexsort((bits, keys))
        for step in range(1, min(WINDOW, len(order) - 1) + 1):
            left, right = order[:-step], order[step:]
            together = keys[left] == keys[right]
            if not together.any():
                break
            left, right = left[together], right[together]
            near = _count_bits(bits[left] ^ bits[right]) <= MAX_BITS
            yield left[near], right[near]


def _count_bits(values: NDArray[np.uint64]) -> NDArray[np.int64]:
    octets = values[:, np.newaxis].view(np.uint8)
    counts: NDArray[np.int64] = np.unpackbits(octets, axis=1).sum(axis=1, dtype=np.int64)
    return counts


def _look_alike(
    pixels: NDArray[np.uint8], left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether pairs differ little, measured by how much there is to see in them."""
    parts = [np.zeros(0, np.bool_)]
    for start in range(0, len(left), CHUNK_PAIRS):
        one = pixels[left[start : start + CHUNK_PAIRS]].astype(np.float32)
        other = pixels[right[start : start + CHUNK_PAIRS]]
        difference = np.abs(one - other).mean(axis=1)
        parts.append(difference <= 1 + one.std(axis=1) / MIN_CONTRAST_RATIO)
    return np.concatenate(parts)
