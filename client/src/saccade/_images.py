"""From what a caller has in hand to images of the API.

Everything is checked at once, and read or copied only when its request is built, so that a list of
a hundred thousand paths costs the memory of the requests under way.
"""

import io
import os
import stat
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

import numpy as np

from saccade._errors import InputError
from saccade.v1 import classifier_pb2 as pb

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image as PilImage

    ImageInput: TypeAlias = str | os.PathLike[str] | bytes | NDArray[np.uint8] | PilImage

_CHANNELS = (1, 3, 4)
_PIXEL_MODES = ("L", "RGB", "RGBA")


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedImage:
    """An image that was checked but not read yet.

    Attributes:
        size_bytes: What it adds to its request, within a few bytes.
        on_disk: Whether `fill` waits for a disk.
        fill: Writes it into a message; raises InputError if its file has gone meanwhile.
    """

    size_bytes: int
    fill: Callable[[pb.Image], None]
    on_disk: bool = False


def prepare_images(images: "ImageInput | Iterable[ImageInput]") -> list[PreparedImage]:
    """Checks one image, a list of images, or a batch array.

    Args:
        images: Each image is a path; the bytes of an image file; a uint8 array, 0 (dark) to 255, of
            shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), channels in the order RGBA; or a Pillow
            image. A batch array has the shape (N, H, W, C).

    Raises:
        InputError: There is no image, or one is of another kind, shape or dtype, or its file
            cannot be read. The text names the position.
    """
    if isinstance(images, np.ndarray) and images.ndim == 4:
        several: list[Any] = list(images)
    elif isinstance(images, Iterable) and not isinstance(
        images, str | bytes | os.PathLike | np.ndarray
    ):
        several = list(images)
    else:
        return [_prepare(images)]
    if not several:
        raise InputError("there are no images to classify")
    prepared = []
    for position, image in enumerate(several):
        try:
            prepared.append(_prepare(image))
        except InputError as error:
            raise InputError(f"image {position}: {error.message}") from error.__cause__
    return prepared


def _prepare(image: object) -> PreparedImage:
    if isinstance(image, str | os.PathLike):
        return _prepare_file(Path(image))
    if isinstance(image, bytes):
        return _prepare_bytes(image)
    if isinstance(image, np.ndarray):
        return _prepare_array(image)
    if _is_pil_image(image):
        return _prepare_pil(image)
    raise InputError(
        f"a {type(image).__name__} is no image: give a path, the bytes of an image file, "
        "a uint8 array or a Pillow image"
    )


def _prepare_bytes(encoded: bytes) -> PreparedImage:
    if not encoded:
        raise InputError("the bytes are empty")

    def fill(message: pb.Image) -> None:
        message.encoded = encoded

    return PreparedImage(size_bytes=len(encoded), fill=fill)


def _prepare_file(path: Path) -> PreparedImage:
    try:
        status = path.stat()
    except OSError as error:
        raise InputError(f"cannot read {str(path)!r}: {error.strerror}") from error
    except ValueError as error:
        # A path with a zero byte in it.
        raise InputError(f"cannot read {str(path)!r}: {error}") from error
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{str(path)!r} is not a file")
    if not os.access(path, os.R_OK):
        raise InputError(f"no permission to read {str(path)!r}")
    if status.st_size == 0:
        raise InputError(f"{str(path)!r} is empty")

    def fill(message: pb.Image) -> None:
        try:
            message.encoded = path.read_bytes()
        except OSError as error:
            raise InputError(f"cannot read {str(path)!r}: {error.strerror}") from error

    return PreparedImage(size_bytes=status.st_size, on_disk=True, fill=fill)


def _prepare_array(array: "NDArray[Any]") -> PreparedImage:
    if array.dtype != np.uint8:
        raise InputError(f"the array is {array.dtype}, not uint8 with the values 0 to 255")
    pixels = array[:, :, np.newaxis] if array.ndim == 2 else array
    if pixels.ndim != 3 or pixels.shape[2] not in _CHANNELS or 0 in pixels.shape:
        raise InputError(
            f"the array has the shape {array.shape}, not (height, width) or (height, width, "
            "channels) with 1, 3 or 4 channels; a batch (N, height, width, channels) stands alone"
        )
    height, width, channels = pixels.shape

    def fill(message: pb.Image) -> None:
        message.pixels.height, message.pixels.width = height, width
        message.pixels.channels, message.pixels.data = channels, pixels.tobytes()

    return PreparedImage(size_bytes=pixels.nbytes, fill=fill)


def _is_pil_image(image: object) -> "TypeGuard[PilImage]":
    # A Pillow image can only come from a caller who has imported Pillow.
    pillow = sys.modules.get("PIL.Image")
    return pillow is not None and isinstance(image, pillow.Image)


def _prepare_pil(image: "PilImage") -> PreparedImage:
    from PIL import ImageOps

    try:
        # Opened files carry their orientation beside the pixels, and would lose it here.
        upright = ImageOps.exif_transpose(image)
        if upright.mode in _PIXEL_MODES and "transparency" not in upright.info:
            return _prepare_array(np.asarray(upright))
        # Palettes, 16 bits and the like: PNG keeps them, and the server's rule for files applies.
        file = io.BytesIO()
        upright.save(file, "PNG", compress_level=1)
    except OSError as error:
        raise InputError(
            f"cannot send this Pillow image of mode {image.mode} ({error}); convert it to RGB"
        ) from error
    return _prepare_bytes(file.getvalue())
