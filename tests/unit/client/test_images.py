"""From what a caller has in hand to images of the API."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from saccade._errors import InputError
from saccade._images import prepare_images
from saccade.v1 import classifier_pb2 as pb


def message(image: Any) -> pb.Image:
    """The one image as it would be sent."""
    (prepared,) = prepare_images(image)
    sent = pb.Image()
    prepared.fill(sent)
    return sent


def noise(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_is_sent_as_the_files_bytes(tmp_path: Path, kind: type) -> None:
    """The server decodes; the client needs no image library."""
    file = tmp_path / "a.png"
    file.write_bytes(b"some bytes")

    assert b"some bytes" == message(kind(file)).encoded


def test_bytes_are_sent_as_they_are() -> None:
    """They are an image file's."""
    assert b"some bytes" == message(b"some bytes").encoded


@pytest.mark.parametrize(
    ("shape", "channels"), [((2, 5), 1), ((2, 5, 1), 1), ((2, 5, 3), 3), ((2, 5, 4), 4)]
)
def test_an_array_is_sent_as_pixels(shape: tuple[int, ...], channels: int) -> None:
    """Rows first, channels innermost."""
    array = noise(*shape)

    assert (
        pb.PixelTensor(height=2, width=5, channels=channels, data=array.tobytes())
        == message(array).pixels
    )


def test_an_array_that_is_not_contiguous_is_sent_in_its_own_order() -> None:
    """A view, such as BGR turned round, is what its indices say."""
    array = noise(4, 6, 3)[::2, ::-1, ::-1]

    assert array.copy().tobytes() == message(array).pixels.data


def test_a_batch_array_is_one_image_a_row() -> None:
    """In its order."""
    batch = noise(3, 2, 5, 1)
    sent = [pb.Image(), pb.Image(), pb.Image()]
    for prepared, image in zip(prepare_images(batch), sent, strict=True):
        prepared.fill(image)

    assert [row.tobytes() for row in batch] == [image.pixels.data for image in sent]


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_pillow_image_of_a_plain_mode_is_sent_as_pixels(mode: str) -> None:
    """Nothing is encoded where nothing needs to be."""
    picture = Image.fromarray(noise(2, 5, 4), "RGBA").convert(mode)

    assert np.asarray(picture).tobytes() == message(picture).pixels.data


@pytest.mark.parametrize("mode", ["1", "P", "LA", "I;16"])
def test_a_pillow_image_of_another_mode_is_sent_as_png(mode: str) -> None:
    """Without loss, so that the server's rule for files applies to it."""
    picture = Image.new(mode, (5, 2))
    received = Image.open(io.BytesIO(message(picture).encoded))

    assert ("PNG", picture.tobytes()) == (received.format, received.tobytes())


def test_a_color_that_stands_for_transparency_is_kept() -> None:
    """RGB with such a color is not plain RGB."""
    picture = Image.new("RGB", (5, 2))
    picture.info["transparency"] = (0, 0, 0)

    assert (0, 0, 0) == Image.open(io.BytesIO(message(picture).encoded)).info["transparency"]


def test_a_pillow_image_is_turned_upright() -> None:
    """As the server turns the same picture when it comes as a file."""
    picture = Image.fromarray(noise(2, 5, 3))
    exif = picture.getexif()
    exif[0x0112] = 6
    file = io.BytesIO()
    picture.save(file, "PNG", exif=exif)

    assert (5, 2) == (
        (pixels := message(Image.open(file)).pixels).height,
        pixels.width,
    )


def test_a_pillow_mode_that_no_file_holds_is_refused() -> None:
    """The text says what to do."""
    with pytest.raises(InputError, match=r"mode LAB .* convert it to RGB"):
        prepare_images(Image.new("LAB", (5, 2)))


def test_a_list_mixes_kinds() -> None:
    """Each image is taken for what it is."""
    prepared = prepare_images([b"123", noise(2, 5), Image.new("RGB", (5, 2))])

    assert [3, 10, 30] == [image.size_bytes for image in prepared]


@pytest.mark.parametrize(
    ("image", "text"),
    [
        (np.zeros((2, 5), np.float32), "float32, not uint8"),
        (noise(5), r"shape \(5,\)"),
        (noise(2, 5, 2), r"shape \(2, 5, 2\)"),
        (noise(0, 5, 3), r"shape \(0, 5, 3\)"),
        (noise(1, 1, 2, 5, 3), "shape"),
        (b"", "empty"),
        ("no such file.png", "cannot read 'no such file.png': No such file"),
        ("zero\0byte", "cannot read"),
        (".", "'.' is not a file"),
        (7, "a int is no image"),
        ([], "no images"),
        (noise(0, 2, 5, 3), "no images"),
        ([b"good", 7.5], "image 1: a float is no image"),
        ([noise(3, 2, 5, 1)], "image 0: .* a batch .* stands alone"),
    ],
    ids=repr,
)
def test_what_is_no_image_is_refused(image: Any, text: str) -> None:
    """Before anything is sent; in a list the text names the position."""
    with pytest.raises(InputError, match=text):
        prepare_images(image)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    """It is most likely the rest of a failed download."""
    (tmp_path / "a.png").touch()

    with pytest.raises(InputError, match=r"a\.png' is empty"):
        prepare_images(tmp_path / "a.png")


def test_a_file_that_vanishes_before_it_is_read_is_a_wrong_input(tmp_path: Path) -> None:
    """Files are read only when their request is sent."""
    file = tmp_path / "a.png"
    file.write_bytes(b"some bytes")
    (prepared,) = prepare_images(file)
    file.unlink()

    with pytest.raises(InputError, match=r"cannot read .*a\.png"):
        prepared.fill(pb.Image())
