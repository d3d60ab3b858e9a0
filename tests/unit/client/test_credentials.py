"""Tokens: what they may hold, where they are read from, and whom they may be shown to."""

import os
from pathlib import Path

import pytest

from saccade._credentials import MAX_TOKEN_BYTES, TokenFile, is_loopback
from saccade._errors import InputError

LOCAL = [
    "localhost",
    "localhost:8500",
    "LocalHost:8500",
    "127.0.0.1:8500",
    "127.8.8.8:8500",
    "[::1]:8500",
    "::1",
    "dns:localhost:8500",
    "dns:///localhost:8500",
    "ipv4:127.0.0.1:8500",
    "ipv4:127.0.0.1:8500,127.0.0.2:8500",
    "ipv6:[::1]:8500",
    "unix:server.sock",
    "unix:///run/server.sock",
    "unix-abstract:server",
]
ELSEWHERE = [
    "serving.example:8500",
    "localhost.example:8500",
    "127.0.0.1.example:8500",
    "10.0.0.7:8500",
    "0.0.0.0:8500",
    "[::]:8500",
    "[fe80::1]:8500",
    "ipv4:127.0.0.1:8500,10.0.0.7:8500",
    "dns://10.0.0.7/localhost:8500",
    "xds:///localhost:8500",
    "localhost@serving.example:8500",
    "localhost:8500@serving.example",
    "localhost,serving.example:8500",
    "dns:///",
    "",
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A token file as editors and `echo` write it."""
    path = tmp_path / "token"
    path.write_text("first-token\n")
    return path


@pytest.mark.parametrize("target", LOCAL)
def test_this_machine_is_known_by_its_names(target: str) -> None:
    """In all forms that gRPC takes."""
    assert is_loopback(target)


@pytest.mark.parametrize("target", ELSEWHERE)
def test_nothing_else_passes_for_this_machine(target: str) -> None:
    """In doubt a target is somebody else."""
    assert not is_loopback(target)


def test_the_token_is_the_file_s_text(path: Path) -> None:
    """Without the line end."""
    assert "first-token" == TokenFile(path).token()


def test_a_changed_file_gives_the_new_token(path: Path) -> None:
    """With the next call."""
    file = TokenFile(path)
    replace(path, b"second-token")

    assert "second-token" == file.token()


def test_a_projected_token_is_followed_through_its_links(tmp_path: Path) -> None:
    """Kubernetes changes a link to a folder, not the file."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "token").write_text(f"token-{name}")
    (tmp_path / "data").symlink_to("one")
    (tmp_path / "token").symlink_to("data/token")
    file = TokenFile(tmp_path / "token")
    (tmp_path / "new").symlink_to("two")
    os.replace(tmp_path / "new", tmp_path / "data")

    assert "token-two" == file.token()


@pytest.mark.parametrize("content", [b"", b"two words", b"\xff\xfe", None], ids=repr)
def test_a_file_that_turns_wrong_leaves_the_last_token(path: Path, content: bytes | None) -> None:
    """It may be in the middle of a replacement, and is read again when that is over."""
    file = TokenFile(path)
    if content is None:
        path.unlink()
    else:
        replace(path, content)
    meanwhile = file.token()
    replace(path, b"second-token")

    assert ("first-token", "second-token") == (meanwhile, file.token())


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"secret predict", "sécret".encode(), b"x" * (MAX_TOKEN_BYTES + 1)]
)
def test_a_file_without_a_token_is_refused_unseen(path: Path, content: bytes) -> None:
    """The text names the file and not what it holds."""
    path.write_bytes(content)
    with pytest.raises(InputError, match=str(path)) as refused:
        TokenFile(path)

    assert "cret" not in str(refused.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """By its name."""
    with pytest.raises(InputError, match=r"cannot read the token file .*none: No such file"):
        TokenFile(tmp_path / "none")


def replace(path: Path, content: bytes) -> None:
    """Puts another file in its place."""
    other = path.with_name("other")
    other.write_bytes(content)
    os.replace(other, path)
