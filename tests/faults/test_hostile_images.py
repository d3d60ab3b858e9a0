"""Images that are made to do harm: what they may cost is bounded, and nothing but a text comes."""

import contextlib
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.hostile_images import COSTLY, ODD, seeds
from fixtures.mutations import mutate, told_apart
from fixtures.pictures import input_spec
from saccade_server.errors import InvalidArgument
from saccade_server.imaging import ImageLimits, decode_image

SHORT, FULL = 2000, 100_000
SPEC = input_spec(16, 12)
SMALL = ImageLimits(max_pixels=1_000_000)

BOUND_S = 20.0
"""Of the processor's time for one image; a hundred times what the worst one takes."""

BOUND_KB = 100_000
"""Of memory beside the file itself, for images that are refused or small."""


class Memory:
    """What this process has used at most since the beginning of the test."""

    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")
        self._before_kb = self._read("VmRSS")

    @property
    def grown_kb(self) -> int:
        """How much more than at the beginning."""
        return self._read("VmHWM") - self._before_kb

    def _read(self, name: str) -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name))


@pytest.fixture(autouse=True)
def no_pillow_warnings() -> Iterator[None]:
    """Pillow warns of some of these files; in the server that is switched off, too."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


@pytest.mark.parametrize("name", COSTLY)
def test_a_bomb_is_refused_before_it_goes_off(name: str) -> None:
    """By a text, in little time and memory."""
    make, expected = COSTLY[name]
    data = make()
    memory = Memory()
    started = time.thread_time()
    with pytest.raises(InvalidArgument) as refused:
        decode_image(data, SPEC)
    spent_s = time.thread_time() - started

    assert (expected, True, True) == (
        refused.value.message[: len(expected)],
        spent_s < BOUND_S,
        memory.grown_kb < BOUND_KB,
    ), (refused.value.message, spent_s, memory.grown_kb)


@pytest.mark.parametrize("name", ODD)
def test_a_strange_image_is_an_image(name: str) -> None:
    """Of an animation the first frame; what stands beside the pixels does not matter."""
    data = ODD[name]()
    memory = Memory()
    started = time.thread_time()
    pixels = decode_image(data, SPEC)
    spent_s = time.thread_time() - started

    assert (SPEC.shape, True, True) == (
        pixels.shape,
        spent_s < BOUND_S,
        memory.grown_kb < BOUND_KB,
    ), (spent_s, memory.grown_kb)


@pytest.mark.timeout(1200)
def test_no_bytes_do_anything_but_become_an_image_or_a_text(full: bool) -> None:
    """Whatever is changed in a file: no other error, no long time, no memory that stays."""
    memory = Memory()
    slowest_s = 0.0

    whole = list(seeds().values())

    for number in range(FULL if full else SHORT):
        data = mutate(whole[number % len(whole)], number)
        started = time.thread_time()
        with told_apart(number), contextlib.suppress(InvalidArgument):
            assert SPEC.shape == decode_image(data, SPEC, SMALL).shape
        slowest_s = max(slowest_s, time.thread_time() - started)

    assert (True, True) == (slowest_s < BOUND_S, memory.grown_kb < BOUND_KB), (
        slowest_s,
        memory.grown_kb,
    )
