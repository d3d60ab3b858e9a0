"""Tensors of the Open Inference Protocol: what a graph takes of them, and elements of bytes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fixtures.pictures import input_spec
from saccade_server.errors import InvalidArgument
from saccade_server.services.inference.tensors import (
    datatype_of,
    graph_values,
    join_elements,
    split_elements,
)

PIXELS = input_spec()
SCALED = input_spec(scale=1 / 255)
WHOLE = replace(input_spec(), dtype=np.dtype(np.uint8))


def image(*values: float, dtype: Any = np.float32) -> NDArray[Any]:
    return np.array(values, dtype).reshape(-1, 1, 1, 1)


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8", "u1", "<i4", "<i8"])
@pytest.mark.parametrize("spec", [PIXELS, WHOLE])
def test_numbers_keep_their_values(spec: Any, dtype: str) -> None:
    """Whatever they travel as, and whatever the graph takes."""
    values = graph_values(image(0, 7, 255, dtype=dtype), spec)

    assert [0, 7, 255] == values.ravel().tolist()


@pytest.mark.parametrize(("spec", "dtype"), [(PIXELS, "<f4"), (PIXELS, "u1"), (WHOLE, "u1")])
def test_what_fits_is_not_copied(spec: Any, dtype: str) -> None:
    """The request's own bytes go to the batch."""
    values = image(1, 2, dtype=dtype)

    assert np.shares_memory(values, graph_values(values, spec))


@pytest.mark.parametrize("dtype", ["u1", "<i4", "<i8"])
def test_whole_numbers_are_no_input_of_a_scaled_graph(dtype: str) -> None:
    """It would answer, and be wrong."""
    with pytest.raises(InvalidArgument, match="does not take pixels of 0 to 255 as they are"):
        graph_values(image(7, dtype=dtype), SCALED)


def test_a_scaled_graph_takes_its_own_range() -> None:
    """In FP32, untouched."""
    assert [0.25] == graph_values(image(0.25), SCALED).ravel().tolist()


@pytest.mark.parametrize("value", [-1, 256, 0.5, float("nan"), float("inf")])
def test_a_graph_of_bytes_takes_no_other_numbers(value: float) -> None:
    """Nothing is rounded or wrapped around."""
    with pytest.raises(InvalidArgument, match="is not a whole number of 0 to 255"):
        graph_values(image(value), WHOLE)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e39])
def test_every_number_is_finite(value: float) -> None:
    """One that is not would spoil its own row without a word."""
    with pytest.raises(InvalidArgument, match="infinite, not a number, or too large"):
        graph_values(image(1, value, 2, dtype="<f8"), PIXELS)


@pytest.mark.parametrize(("spec", "name"), [(PIXELS, "FP32"), (WHOLE, "UINT8")])
def test_the_graphs_type_has_the_protocols_name(spec: Any, name: str) -> None:
    """As metadata tell it."""
    assert name == datatype_of(spec)


@pytest.mark.parametrize("elements", [[], [b""], [b"a", b"", b"bcd"], [bytes(300)]])
def test_elements_survive_the_way(elements: list[bytes]) -> None:
    """Empty ones too."""
    assert elements == split_elements(join_elements(elements))


def test_no_more_elements_are_split_than_are_wanted() -> None:
    """A message of a few megabytes can hold millions of empty ones."""
    assert [b"a", b""] == split_elements(join_elements([b"a", b"", b"", b"b"]), 2)


@pytest.mark.parametrize("raw", [b"\1", b"\1\0\0\0", b"\1\0\0\0ab\0", b"\xff\xff\xff\xffabc"])
def test_elements_that_do_not_fit_are_refused(raw: bytes) -> None:
    """Whether a length or an element is cut short."""
    with pytest.raises(InvalidArgument, match="incomplete"):
        split_elements(raw)
