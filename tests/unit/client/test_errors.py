"""The tree of errors."""

import pickle

import grpc
import pytest

from saccade import _errors
from saccade._errors import ImagesFailed, InputError, Overloaded, SaccadeError
from saccade._results import ImageError

KINDS = [
    kind
    for kind in vars(_errors).values()
    if isinstance(kind, type) and issubclass(kind, SaccadeError)
]
FAILED = ImageError(index=2, code=grpc.StatusCode.INVALID_ARGUMENT, message="not an image")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_modules_docstring_shows_each_error(kind: type[SaccadeError]) -> None:
    """Whoever reads the tree has read all of it."""
    assert _errors.__doc__ is not None
    assert f" {kind.__name__} " in _errors.__doc__


def test_a_wrong_input_is_a_value_error_too() -> None:
    """Code that knows nothing of this library can still catch it."""
    assert issubclass(InputError, ValueError)


def test_the_text_of_failed_images_names_the_first() -> None:
    """Who sees only the text knows where to look."""
    assert "1 image(s) failed; image 2: not an image" == str(ImagesFailed((FAILED,)))


def test_errors_travel_between_processes() -> None:
    """A worker process can hand its error to its parent."""
    copy = pickle.loads(pickle.dumps(Overloaded("full", request_id="r", retry_after_s=0.5)))

    assert ("full", "r", 0.5) == (copy.message, copy.request_id, copy.retry_after_s)


def test_failed_images_travel_between_processes() -> None:
    """So does the one error that is made of others."""
    assert (FAILED,) == pickle.loads(pickle.dumps(ImagesFailed((FAILED,)))).errors
