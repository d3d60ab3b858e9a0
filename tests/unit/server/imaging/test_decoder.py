"""Decoding beside the event loop."""

import asyncio
import itertools
import threading
from collections.abc import Iterator

import pytest
from PIL import Image

from fixtures.pictures import encode, gradient, input_spec
from saccade_server.artifact import ColorSpace, InputSpec
from saccade_server.errors import InvalidArgument
from saccade_server.imaging import Decoder, ImageLimits, Pixels, Source

GRAY = input_spec(1, 1, ColorSpace.GRAY)


@pytest.fixture(params=[1, 3])
def decoder(request: pytest.FixtureRequest) -> Iterator[Decoder]:
    """What is tested, with one thread and with more."""
    decoder = Decoder(threads=request.param, limits=ImageLimits(max_pixels=1000))
    yield decoder
    decoder.close()


def gray_file(value: int) -> bytes:
    """A file of one pixel."""
    return encode(Image.new("L", (1, 1), value), "PNG")


async def seen(decoder: Decoder, sources: list[Source]) -> list[object]:
    """The first pixel of each image, or the type of its error."""
    decoded = await decoder.decode(sources, GRAY)
    return [
        type(values) if isinstance(values, InvalidArgument) else int(values[0, 0, 0])
        for values in decoded
    ]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 10])
async def test_the_order_is_kept(decoder: Decoder, count: int) -> None:
    """However the images are shared out between threads."""
    files: list[Source] = [gray_file(value) for value in range(count)]

    assert list(range(count)) == await seen(decoder, files)


async def test_a_bad_image_gets_its_own_error(decoder: Decoder) -> None:
    """Its neighbours are decoded."""
    sources: list[Source] = [gray_file(1), b"junk", Pixels(b"\2", (1, 1, 1)), gray_file(3)]

    assert [1, InvalidArgument, 2, 3] == await seen(decoder, sources)


async def test_bad_pixels_get_their_own_error(decoder: Decoder) -> None:
    """Also where all images are pixels of the right shape, and no thread is asked."""
    sources: list[Source] = [Pixels(b"\1", (1, 1, 1)), Pixels(b"\1\2", (1, 1, 1))]

    assert [1, InvalidArgument] == await seen(decoder, sources)


async def test_the_limits_hold(decoder: Decoder) -> None:
    """Those that the decoder was given."""
    large = encode(Image.fromarray(gradient(40, 40)), "PNG")

    assert [InvalidArgument] == await seen(decoder, [large])


async def test_the_values_are_those_that_the_graph_takes(decoder: Decoder) -> None:
    """Mapped to its range."""
    spec = input_spec(1, 1, ColorSpace.GRAY, scale=0.5, offset=1.0)
    (values,) = await decoder.decode([gray_file(10)], spec)

    assert not isinstance(values, InvalidArgument)
    assert [[[6.0]]] == values.tolist()


class SlowPixels(Pixels):
    """One gray pixel that takes until it is released."""

    began = threading.Event()
    released = threading.Event()
    taken: list[Pixels] = []  # noqa: RUF012 - shared on purpose

    @property
    def data(self) -> bytes:
        """Its value."""
        self.taken.append(self)
        self.began.set()
        self.released.wait(20)
        return b"\1"


async def wait_taken() -> None:
    """Until a thread is busy with one."""
    await asyncio.to_thread(SlowPixels.began.wait, 20)


@pytest.fixture
def slow() -> Iterator[Pixels]:
    """Such a pixel, in a shape that is not the graph's."""
    SlowPixels.began.clear()
    SlowPixels.released.clear()
    SlowPixels.taken.clear()
    yield SlowPixels(b"", (1, 1, 1))
    SlowPixels.released.set()


async def test_what_nobody_waits_for_any_more_is_not_decoded(slow: Pixels) -> None:
    """Of a cancelled request only the image is finished that a thread was busy with."""
    decoder = Decoder(threads=1, limits=ImageLimits())
    cancelled = asyncio.create_task(decoder.decode([slow] * 100, input_spec(2, 2)))
    await wait_taken()
    cancelled.cancel()
    await asyncio.wait([cancelled])
    SlowPixels.released.set()
    await decoder.decode([gray_file(1)], GRAY)
    decoder.close()

    assert [slow] == SlowPixels.taken


async def test_a_large_request_lets_small_ones_pass(slow: Pixels) -> None:
    """A request goes back to the end of the line when its time is up."""
    seconds = itertools.count()
    decoder = Decoder(threads=1, limits=ImageLimits(), clock=lambda: next(seconds))
    large = asyncio.create_task(decoder.decode([slow, gray_file(1)] * 50, GRAY))
    await wait_taken()
    small = asyncio.create_task(decoder.decode([gray_file(2)], GRAY))
    await asyncio.sleep(0)
    SlowPixels.released.set()
    await small
    was_done = large.done()
    await large
    decoder.close()

    assert not was_done


@pytest.mark.parametrize("count", [1, 3])
def test_pixels_that_fit_are_joined_as_they_are(decoder: Decoder, count: int) -> None:
    """In order, one image a row."""
    joined = decoder.join_ready(
        [Pixels(bytes((value,)), (1, 1, 1)) for value in range(count)], GRAY
    )

    assert joined is not None
    assert ((count, 1, 1, 1), [*range(count)]) == (joined.shape, joined.ravel().tolist())


OTHERS: dict[str, tuple[Source, InputSpec]] = {
    "a file": (gray_file(1), GRAY),
    "another shape": (Pixels(bytes(4), (2, 2, 1)), GRAY),
    "too few bytes": (Pixels(b"", (1, 1, 1)), GRAY),
    "another order of colors": (Pixels(bytes(3), (1, 1, 3)), input_spec(1, 1, ColorSpace.BGR)),
    "more than the limit": (
        Pixels(bytes(1600), (40, 40, 1)),
        input_spec(40, 40, ColorSpace.GRAY),
    ),
}


@pytest.mark.parametrize("other", OTHERS)
def test_what_needs_work_is_not_joined(decoder: Decoder, other: str) -> None:
    """Not even with others that fit."""
    source, spec = OTHERS[other]
    fits = Pixels(bytes(spec.height * spec.width * spec.shape[2]), spec.shape)

    assert decoder.join_ready([fits, source], spec) is None
