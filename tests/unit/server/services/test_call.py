"""What a handler knows of its call."""

import time

import pytest

from saccade_server.errors import InvalidArgument
from saccade_server.services.call import Call, Method


@pytest.mark.parametrize("request_id", ["a", "order 66/7", "x" * 128, "~!@#$%^&*()_+"])
def test_a_callers_id_is_taken_over(request_id: str) -> None:
    """It goes to the log and into the answer."""
    call = Call()

    assert (request_id, request_id) == (call.identify(request_id), call.request_id)


def test_without_an_id_one_is_made_up() -> None:
    """Another one for each call."""
    assert Call().identify("") != Call().identify("")


@pytest.mark.parametrize(
    "request_id",
    ["x" * 129, "two\nlines", "tab\t", "bell\a", "ä", "\x7f", "\x1b[31m", "end\u2028"],
)
def test_an_id_that_cannot_be_logged_is_refused(request_id: str) -> None:
    """Nobody writes lines of their own into the log."""
    with pytest.raises(InvalidArgument) as refused:
        Call().identify(request_id)

    assert "request_id must be at most 128 printable ASCII characters" == refused.value.message


def test_without_a_deadline_nothing_remains_to_be_counted() -> None:
    """A call may take as long as it likes."""
    assert Call().remaining_s() is None


def test_the_time_that_remains_is_known() -> None:
    """On the monotonic clock."""
    remaining = Call(deadline=time.monotonic() + 100).remaining_s()

    assert pytest.approx(100, abs=5) == remaining


def test_a_path_has_two_parts() -> None:
    """The service and the method."""
    method = Method(api="saccade", path="/saccade.v1.ImageClassifier/Classify", request=object)  # type: ignore[arg-type]

    assert ("saccade.v1.ImageClassifier", "Classify") == (method.service, method.name)
