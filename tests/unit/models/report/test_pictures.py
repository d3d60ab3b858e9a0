import base64
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from saccade_models.report.pictures import MAX_MAP_SIDE, heat_map, thumbnail


def read(address: str) -> Image.Image:
    """The picture in a data URI."""
    return Image.open(BytesIO(base64.b64decode(address.split(",")[1])))


def test_a_small_image_keeps_every_pixel() -> None:
    """It is a PNG."""
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)

    assert np.array_equal(pixels, np.asarray(read(thumbnail(pixels))))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_large_image_is_shrunk(channels: int) -> None:
    """With its proportions."""
    assert (160, 80) == read(thumbnail(np.zeros((200, 400, channels), np.uint8))).size


def test_a_cell_without_images_is_transparent() -> None:
    """And the diagonal has another colour than mistakes."""
    pixels = np.asarray(read(heat_map(np.array([[3, 1], [0, 2]]))))

    assert (True, 0, True) == (
        pixels[0, 0, 3] > pixels[0, 1, 3] > 0,
        pixels[1, 0, 3],
        tuple(pixels[0, 0, :3]) != tuple(pixels[0, 1, :3]),
    )


def test_very_many_classes_share_pixels() -> None:
    """Neighbours are put together."""
    picture = read(heat_map(np.eye(2 * MAX_MAP_SIDE + 1, dtype=np.int64)))

    assert max(picture.size) <= MAX_MAP_SIDE
