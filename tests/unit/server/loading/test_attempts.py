"""What is known of forms that ended the process that opened them."""

import os
from pathlib import Path

import pytest

from saccade_server.loading.attempts import FOLDER, Attempts

GONE = 4_194_305
"""No process has that number: it is beyond the largest."""


@pytest.fixture
def form(tmp_path: Path) -> Path:
    """A form."""
    file = tmp_path / "form"
    file.write_bytes(b"x")
    return file


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """The cache, which is not there yet."""
    return tmp_path / "cache"


@pytest.fixture(params=[GONE, os.getpid()], ids=["number of nobody", "own number"])
def died(request: pytest.FixtureRequest, cache: Path, form: Path) -> Attempts:
    """What the next process finds after one that died; it may have the same number."""
    with Attempts(cache).note(form):
        (note,) = (cache / FOLDER).iterdir()
        left = note.with_name(f"{note.name.rpartition('-')[0]}-{request.param}")
        note.rename(left)
    left.touch()
    return Attempts(cache)


def test_a_form_that_was_opened_is_harmless(cache: Path, form: Path) -> None:
    """Nothing is left of the note."""
    attempts = Attempts(cache)
    with attempts.note(form):
        meanwhile = attempts.was_fatal(form)

    assert (False, False, []) == (
        meanwhile,
        attempts.was_fatal(form),
        list((cache / FOLDER).iterdir()),
    )


def test_a_form_that_raises_is_harmless(cache: Path, form: Path) -> None:
    """The process lives."""
    attempts = Attempts(cache)
    with pytest.raises(ValueError, match="no form"), attempts.note(form):
        raise ValueError("no form")

    assert not attempts.was_fatal(form)


def test_a_process_that_died_is_remembered(died: Attempts, form: Path) -> None:
    """Until the form has been opened elsewhere."""
    before = died.was_fatal(form)
    died.forgive(form)

    assert (True, False) == (before, died.was_fatal(form))


def test_a_form_that_changed_is_another_one(died: Attempts, form: Path) -> None:
    """It has killed nobody yet."""
    form.write_bytes(b"other")

    assert not died.was_fatal(form)


def test_a_process_that_lives_may_still_succeed(cache: Path, form: Path) -> None:
    """Workers open the same form at the same time."""
    with Attempts(cache).note(form):
        (note,) = (cache / FOLDER).iterdir()
        note.rename(note.with_name(f"{note.name.rpartition('-')[0]}-{os.getppid()}"))

        assert not Attempts(cache).was_fatal(form)


def test_without_a_cache_nothing_is_known(form: Path) -> None:
    """And nothing fails."""
    attempts = Attempts(Path("/dev/null/cache"))
    with attempts.note(form):
        pass

    assert not attempts.was_fatal(form)
