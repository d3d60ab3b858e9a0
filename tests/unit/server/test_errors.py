"""The errors that callers see have the codes of gRPC."""

import grpc
import pytest

from saccade_server import errors
from saccade_server.errors import Code, SaccadeError

CODES = {
    errors.InvalidArgument: "INVALID_ARGUMENT",
    errors.NotFound: "NOT_FOUND",
    errors.Overloaded: "RESOURCE_EXHAUSTED",
    errors.DeadlineExceeded: "DEADLINE_EXCEEDED",
    errors.Unavailable: "UNAVAILABLE",
    errors.Unauthenticated: "UNAUTHENTICATED",
    errors.PermissionDenied: "PERMISSION_DENIED",
    errors.FailedPrecondition: "FAILED_PRECONDITION",
    errors.Unimplemented: "UNIMPLEMENTED",
    SaccadeError: "INTERNAL",
}


@pytest.mark.parametrize("code", Code, ids=lambda code: code.name)
def test_a_code_has_the_number_of_grpc(code: Code) -> None:
    """By its name."""
    assert grpc.StatusCode[code.name].value[0] == code


@pytest.mark.parametrize("kind", CODES, ids=lambda kind: kind.__name__)
def test_an_error_carries_its_code(kind: type[SaccadeError]) -> None:
    """One for each situation."""
    assert CODES[kind] == kind("text").code.name


def test_every_error_is_in_the_table() -> None:
    """A new one needs a line above."""
    assert set(CODES) - {SaccadeError} == set(SaccadeError.__subclasses__())


@pytest.mark.parametrize("kind", [errors.ConfigError, errors.ArtifactError, errors.EngineError])
def test_what_is_not_for_callers_has_no_code(kind: type[Exception]) -> None:
    """It reaches them as an internal error only."""
    assert not issubclass(kind, SaccadeError)
