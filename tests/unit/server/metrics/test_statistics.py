"""The totals of a version."""

import asyncio

import pytest

from saccade_server.errors import EngineError, InvalidArgument, Overloaded
from saccade_server.metrics.statistics import VersionStatistics


def test_a_request_that_ends_well_is_a_success() -> None:
    """With its time, and the moment."""
    done = VersionStatistics()
    with done.request():
        pass

    assert (1, 0, True, True) == (
        done.success.count,
        done.failure.count,
        done.success.seconds > 0,
        done.last_s > 0,
    )


def test_a_request_that_fails_is_a_failure() -> None:
    """The error goes on its way."""
    done = VersionStatistics()
    with pytest.raises(ValueError, match="no"), done.request():
        raise ValueError("no")

    assert (0, 1, 0.0) == (done.success.count, done.failure.count, done.last_s)


def test_only_errors_of_ours_are_faults() -> None:
    """A wrong image and a full queue say nothing about the version."""
    done = VersionStatistics()
    for error in (InvalidArgument("no image"), Overloaded("later"), EngineError("stumbled")):
        with pytest.raises(type(error)), done.request():
            raise error

    assert (3, 1) == (done.failure.count, done.faults)


def test_a_request_whose_caller_left_counts_as_neither() -> None:
    """It got no answer, good or bad."""
    done = VersionStatistics()
    with pytest.raises(asyncio.CancelledError), done.request():
        raise asyncio.CancelledError

    assert (0, 0) == (done.success.count, done.failure.count)


def test_batches_are_told_apart_by_their_size() -> None:
    """Count and seconds of each."""
    done = VersionStatistics()
    for images, seconds in ((1, 0.25), (4, 0.5), (1, 0.25)):
        done.add_batch(images, seconds)

    assert {1: (2, 0.5), 4: (1, 0.5)} == {
        images: (total.count, total.seconds) for images, total in done.batches.items()
    }
