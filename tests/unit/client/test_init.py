"""What the package shows, and what importing it costs."""

import json
import subprocess
import sys

import pytest

import saccade

# One name a line would hide the list.
PUBLIC = """
    Answer AsyncClient ClassifyResult Client ClientOptions DeadlineExceeded Evaluation Health
    ImageError ImagesFailed InputError InputSpec InvalidArgument Model ModelDetails ModelRef
    ModelVersion NotFound Overloaded PermissionDenied Prediction Provenance RetryPolicy SaccadeError
    ScoredClass ServerError StreamAnswer StreamRequest Timings Tls Unauthenticated Unavailable
    VersionState
""".split()  # noqa: SIM905


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after `code`."""
    script = f"{code}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    return set(json.loads(done.stdout))


def test_the_public_names_are_these() -> None:
    """A name is added or removed on purpose."""
    assert PUBLIC == saccade.__all__


@pytest.mark.parametrize("name", PUBLIC)
def test_each_public_name_is_there(name: str) -> None:
    """It loads its module when it is first used."""
    assert name == getattr(saccade, name).__name__


def test_other_names_are_not() -> None:
    """As in any module."""
    with pytest.raises(AttributeError, match="no attribute 'Cleint'"):
        saccade.Cleint  # noqa: B018


def test_the_public_names_are_listed() -> None:
    """For completion in a shell."""
    assert set(PUBLIC) <= set(dir(saccade))


def test_the_client_is_light() -> None:
    """It loads neither a framework nor an image library nor what draws tables."""
    loaded = loaded_by("import saccade, saccade.v1\nsaccade.Client, saccade.AsyncClient")

    assert set() == loaded & {"tensorflow", "PIL", "rich"}


def test_the_stubs_do_not_load_the_client() -> None:
    """A server has no use for it."""
    loaded = loaded_by("import saccade.v1.classifier_pb2, saccade.v1.classifier_pb2_grpc")

    assert {
        "saccade",
        "saccade.v1",
        "saccade.v1.classifier_pb2",
        "saccade.v1.classifier_pb2_grpc",
        "saccade.v1.manifest_pb2",
    } == {name for name in loaded if name.split(".")[0] == "saccade"}


def test_help_does_not_wait_for_grpc() -> None:
    """Nor does a wrong flag."""
    loaded = loaded_by("from saccade.__main__ import build_parser\nbuild_parser().format_help()")

    assert set() == loaded & {"grpc", "numpy"}
