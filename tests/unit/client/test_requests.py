"""From images and choices to requests of bounded size."""

from typing import Any

import pytest

from saccade._errors import InputError
from saccade._options import ClientOptions
from saccade._requests import model_spec, plan_requests
from saccade.v1 import classifier_pb2 as pb

DIGITS = pb.ModelSpec(name="digits")


def sizes(images: list[bytes], **bounds: Any) -> list[list[int]]:
    """The bytes of each image of each request."""
    planned = plan_requests(images, DIGITS, None, "r", ClientOptions(**bounds))
    return [[len(image.encoded) for image in one.build().images] for one in planned]


def test_a_list_within_the_bounds_is_one_request() -> None:
    """Calls cost more than images."""
    assert [[1, 1, 1]] == sizes([b"1"] * 3, max_request_images=3, max_request_bytes=3)


def test_a_request_holds_at_most_so_many_images() -> None:
    """In the caller's order."""
    assert [[1, 2], [3, 4], [5]] == sizes(
        [b"1" * size for size in range(1, 6)], max_request_images=2
    )


def test_a_request_holds_at_most_so_many_bytes() -> None:
    """A new one begins where the next image would go beyond."""
    assert [[4, 6], [5], [9]] == sizes([b"1" * size for size in (4, 6, 5, 9)], max_request_bytes=10)


def test_an_image_beyond_the_bound_travels_alone() -> None:
    """Whether it is too large is the server's to say."""
    assert [[4], [50], [5]] == sizes([b"1" * size for size in (4, 50, 5)], max_request_bytes=10)


def test_each_request_knows_where_its_images_stood() -> None:
    """So that results come back in order."""
    planned = plan_requests([b"1"] * 5, DIGITS, None, "r", ClientOptions(max_request_images=2))

    assert [0, 2, 4] == [one.first for one in planned]


def test_a_request_says_what_the_caller_chose() -> None:
    """Model, classes and id."""
    (planned,) = plan_requests(b"1", DIGITS, 3, "r", ClientOptions())

    assert (
        pb.ClassifyRequest(model=DIGITS, images=[pb.Image(encoded=b"1")], top_k=3, request_id="r")
        == planned.build()
    )


def test_without_top_k_the_server_decides() -> None:
    """Absent and zero are two things to it."""
    (planned,) = plan_requests(b"1", DIGITS, None, "r", ClientOptions())

    assert not planned.build().HasField("top_k")


def test_the_requests_of_one_list_have_ids_of_one_family() -> None:
    """A log line leads back to the call."""
    planned = plan_requests([b"1"] * 2, DIGITS, None, "r", ClientOptions(max_request_images=1))

    assert ["r-0", "r-1"] == [one.request_id for one in planned]


def test_an_id_is_made_up_where_none_is_given() -> None:
    """And is not the same twice."""
    made = {plan_requests(b"1", DIGITS, None, None, ClientOptions())[0].request_id for _ in "ab"}

    assert 2 == len(made - {""})


@pytest.mark.parametrize("request_id", ["", "x" * 129, "é" * 65, "\udcff"])
def test_an_id_must_fit_the_contract(request_id: str) -> None:
    """1 to 128 bytes of UTF-8."""
    with pytest.raises(InputError, match="request_id"):
        plan_requests(b"1", DIGITS, None, request_id, ClientOptions())


@pytest.mark.parametrize("top_k", [2**31, 1.5, "3"])
def test_top_k_must_be_an_integer(top_k: object) -> None:
    """Its range is the server's to judge."""
    with pytest.raises(InputError, match="top_k"):
        plan_requests(b"1", DIGITS, top_k, "r", ClientOptions())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("version", "label", "expected"),
    [
        (None, None, pb.ModelSpec(name="m")),
        (3, None, pb.ModelSpec(name="m", version=3)),
        (None, "stable", pb.ModelSpec(name="m", label="stable")),
    ],
)
def test_a_model_is_named_with_a_version_or_a_label(
    version: int | None, label: str | None, expected: pb.ModelSpec
) -> None:
    """Or with neither, for the default version."""
    assert expected == model_spec("m", version, label)


@pytest.mark.parametrize(
    ("model", "version", "label", "text"),
    [
        ("m", 1, "stable", "not both"),
        ("m", 0, None, "at least 1, got 0"),
        ("m", 2**63, None, "version"),
        (7, None, None, "model"),
    ],
)
def test_a_model_that_cannot_be_is_refused(
    model: str, version: int | None, label: str | None, text: str
) -> None:
    """Before anything is sent."""
    with pytest.raises(InputError, match=text):
        model_spec(model, version, label)
