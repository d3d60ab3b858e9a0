"""One bad image never fails its neighbours."""

from typing import Any

import pytest
from PIL import Image

from fixtures.in_process import InProcessServer, pixel
from fixtures.pictures import FORMATS, encode, gradient, png
from saccade.v1 import classifier_pb2 as pb


def tensor(height: int, width: int, channels: int, length: int) -> pb.Image:
    """Pixels of that shape in so many bytes."""
    data = bytes(length)
    pixels = pb.PixelTensor(height=height, width=width, channels=channels, data=data)
    return pb.Image(pixels=pixels)


PICTURE = encode(Image.fromarray(gradient(64, 64)), "JPEG")

BAD: dict[str, tuple[pb.Image, str]] = {
    "no content": (pb.Image(), "the image is empty: send the bytes of a file"),
    "no bytes": (pb.Image(encoded=b""), "the image is empty: send the bytes of a file"),
    "no image": (
        pb.Image(encoded=b"Dear Sir or Madam"),
        "not an image: send the bytes of a file of type JPEG, PNG, GIF, BMP, WEBP",
    ),
    "half an image": (
        pb.Image(encoded=PICTURE[: len(PICTURE) // 2]),
        "damaged image, cannot be decoded (OSError)",
    ),
    "decompression bomb": (
        pb.Image(encoded=png(8, 2, (40_000, 40_000), bytes(40_000))),
        "the image is 40000 x 40000, at most 40000000 pixels are allowed",
    ),
    "no pixels": (
        pb.Image(pixels=pb.PixelTensor()),
        "the tensor is 0 x 0: each side must be at least 1",
    ),
    "side of zero": (
        tensor(0, 8, 3, 0),
        "the tensor is 0 x 8: each side must be at least 1",
    ),
    "negative side": (
        tensor(8, -8, 3, 0),
        "the tensor is 8 x -8: each side must be at least 1",
    ),
    "wrong channels": (
        tensor(8, 8, 2, 128),
        "the tensor has 2 channels: send 1 (gray), 3 (RGB) or 4 (RGBA)",
    ),
    "too few bytes": (tensor(8, 8, 3, 191), "the tensor has 191 bytes, 8 x 8 x 3 needs 192"),
    "too many bytes": (tensor(1, 1, 1, 2), "the tensor has 2 bytes, 1 x 1 x 1 needs 1"),
    "huge tensor": (
        tensor(2**31 - 1, 2**31 - 1, 4, 0),
        "the image is 2147483647 x 2147483647, at most 40000000 pixels are allowed",
    ),
}


def outcomes(answer: pb.ClassifyResponse) -> list[str | tuple[int, str]]:
    """For each image its best class, or the code and text of its error."""
    return [
        (result.error.code, result.error.message)
        if result.WhichOneof("outcome") == "error"
        else result.classification.classes[0].label
        for result in answer.results
    ]


@pytest.mark.parametrize("case", BAD)
async def test_a_bad_image_has_its_own_error(stub: Any, case: str) -> None:
    """In its own place; the images before and after it are classified."""
    bad, text = BAD[case]
    images = [pixel(0), bad, pixel(255)]
    answer = await stub.Classify(pb.ClassifyRequest(images=images), timeout=20)

    assert ["dark", (3, text), "light"] == outcomes(answer)


async def test_a_bad_image_is_not_worth_a_retry(stub: Any) -> None:
    """It would fail again."""
    answer = await stub.Classify(pb.ClassifyRequest(images=[pb.Image()]), timeout=20)

    assert 0 == answer.results[0].error.retry_after_us


async def test_bad_images_only_are_no_failed_call(stub: Any, tiny: InProcessServer) -> None:
    """Each one has its error; the engine is not asked."""
    bad = [image for image, _ in BAD.values()]
    answer = await stub.Classify(pb.ClassifyRequest(images=bad), timeout=20)

    assert ([(3, text) for _, text in BAD.values()], []) == (outcomes(answer), tiny.engine.batches)


async def test_bad_images_are_no_part_of_a_batch(stub: Any) -> None:
    """The timings tell how many images the engine got."""
    images = [pixel(0), pb.Image(), pixel(255)]
    answer = await stub.Classify(pb.ClassifyRequest(images=images), timeout=20)

    assert 2 == answer.timings.batch_images


async def test_images_are_counted_by_their_outcome(stub: Any, tiny: InProcessServer) -> None:
    """Good ones and bad ones."""
    images = [pixel(0), pb.Image(), pixel(255)]
    await stub.Classify(pb.ClassifyRequest(images=images), timeout=20)
    labels = {"model": "tiny", "version": "1"}
    name = "saccade_images_total"

    assert (2, 1) == (
        tiny.value(name, outcome="ok", **labels),
        tiny.value(name, outcome="INVALID_ARGUMENT", **labels),
    )


@pytest.mark.parametrize("name", FORMATS)
async def test_every_format_is_classified(stub: Any, name: str) -> None:
    """A white picture is light."""
    image = pb.Image(encoded=encode(Image.new("RGB", (9, 7), "white"), name))
    answer = await stub.Classify(pb.ClassifyRequest(images=[image]), timeout=20)

    assert ["light"] == outcomes(answer)


@pytest.mark.parametrize("channels", [1, 3, 4])
async def test_pixels_of_any_size_are_classified(stub: Any, channels: int) -> None:
    """They are resized and converted as files are."""
    pixels = pb.PixelTensor(height=5, width=3, channels=channels, data=b"\xff" * 15 * channels)
    answer = await stub.Classify(pb.ClassifyRequest(images=[pb.Image(pixels=pixels)]), timeout=20)

    assert ["light"] == outcomes(answer)
