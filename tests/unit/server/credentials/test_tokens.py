"""Bearer tokens from a file."""

import os
from pathlib import Path

import pytest

from fixtures.clock import FakeClock
from saccade_server.credentials import Tokens
from saccade_server.errors import ConfigError

CALLER = "caller-0123456789"
KEEPER = "keeper-0123456789"


@pytest.fixture
def clock() -> FakeClock:
    """Of the looks at the file."""
    return FakeClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with a token that may ask, and one that may do everything."""
    path = tmp_path / "tokens"
    path.write_text(f"# Who may call.\n\n{CALLER} predict\n{KEEPER} predict,admin\n")
    path.chmod(0o600)
    return path


def test_a_token_has_the_roles_of_its_line(path: Path) -> None:
    """Commas part them."""
    tokens = Tokens(path)

    assert tokens.roles(CALLER) == frozenset({"predict"})
    assert tokens.roles(KEEPER) == frozenset({"predict", "admin"})


@pytest.mark.parametrize("token", ["", "#", CALLER[:-1], CALLER + "0", CALLER.upper(), "\udcff"])
def test_another_token_has_none(path: Path, token: str) -> None:
    """Whatever it looks like."""
    assert Tokens(path).roles(token) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "holds no token"),
        ("# only a comment\n", "holds no token"),
        (CALLER, "line 1: a token is followed by"),
        (f"{CALLER} predict root", "line 1: a token is followed by"),
        ("short predict", "line 1: a token has at least"),
        (f"{CALLER},predict", "line 1: a token is printable"),
        (f"\n{CALLER}ä predict", "line 2: a token is printable"),
    ],
)
def test_a_wrong_file_is_refused_without_its_text(tmp_path: Path, text: str, why: str) -> None:
    """The error goes to the log, where tokens must not be."""
    path = tmp_path / "tokens"
    path.write_text(text)
    path.chmod(0o600)

    with pytest.raises(ConfigError, match=why) as refused:
        Tokens(path)
    assert CALLER not in str(refused.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """At the start."""
    with pytest.raises(ConfigError, match="--token-file"):
        Tokens(tmp_path / "none")


def test_a_changed_file_is_read_again(path: Path, clock: FakeClock) -> None:
    """The old tokens end with it."""
    tokens = Tokens(path, clock=clock)
    replace(path, "another-0123456789 predict\n")
    clock.advance(1)

    assert tokens.roles("another-0123456789") == frozenset({"predict"})
    assert tokens.roles(CALLER) is None


@pytest.mark.parametrize("text", ["", "short predict\n", None])
def test_a_file_that_turns_wrong_leaves_the_old_tokens(
    path: Path, clock: FakeClock, caplog: pytest.LogCaptureFixture, text: str | None
) -> None:
    """Empty, wrong or gone; the log says so once."""
    tokens = Tokens(path, clock=clock)
    if text is None:
        path.unlink()
    else:
        replace(path, text)
    for _ in range(3):
        clock.advance(1)
        assert tokens.roles(CALLER) == frozenset({"predict"})

    assert len([each for each in caplog.records if "stay valid" in each.message]) == 1


def test_a_file_that_everybody_can_read_is_warned_about(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """By its name, at the start."""
    path.chmod(0o644)
    Tokens(path)

    assert f"everybody on this machine can read {path}" in caplog.text


def replace(path: Path, text: str) -> None:
    """Puts another file in its place, as editors and Kubernetes do."""
    other = path.with_name("other")
    other.write_text(text)
    other.chmod(0o600)
    os.replace(other, path)
