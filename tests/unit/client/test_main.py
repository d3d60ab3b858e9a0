"""The flags."""

from pathlib import Path

import pytest

from saccade.__main__ import build_parser, main
from saccade.cli import find_images


def server(arguments: list[str]) -> object:
    return build_parser().parse_args(arguments).server


def test_the_server_is_the_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    """It wins over the environment."""
    monkeypatch.setenv("SACCADE_SERVER", "there:1")

    assert "here:2" == server(["models", "--server", "here:2"])


def test_else_the_server_is_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a shell that always asks the same one."""
    monkeypatch.setenv("SACCADE_SERVER", "there:1")

    assert "there:1" == server(["models"])


@pytest.mark.parametrize("value", [None, ""])
def test_else_the_server_is_this_machines(
    monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    """An empty variable counts as none."""
    monkeypatch.delenv("SACCADE_SERVER", raising=False)
    if value is not None:
        monkeypatch.setenv("SACCADE_SERVER", value)

    assert "localhost:8500" == server(["models"])


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["classify"],
        ["classify", "a.png", "--version", "1", "--label", "stable"],
        ["classify", "a.png", "--version", "one"],
        ["health", "--json"],
        ["health", "--token", "t0p", "--token-file", "token"],
    ],
    ids=" ".join,
)
def test_wrong_flags_end_with_2(arguments: list[str]) -> None:
    """As the table of exit codes says."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert 2 == caught.value.code


@pytest.mark.parametrize(
    "arguments",
    [
        ["models", "--server", "http://localhost:8500"],
        ["models", "--timeout", "0"],
        ["models", "--token", "two words"],
        ["models", "--token", "t0p", "--server", "serving.example:8500"],
        ["models", "--token-file", "no such file"],
        ["models", "--tls-ca", "no such file"],
        ["models", "--tls-cert", __file__],
        ["classify", "."],
    ],
    ids=" ".join,
)
def test_wrong_values_end_with_2_and_a_word(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No trace, and nothing is sent. The folder has no images."""
    monkeypatch.chdir(tmp_path)
    code = main(arguments)

    assert (2, "saccade: ") == (code, capsys.readouterr().err[:9])


def test_a_folder_stands_for_the_images_in_it(tmp_path: Path) -> None:
    """At any depth, in order, by suffix in any case; a named file needs no suffix."""
    for name in ("b.PNG", "a.jpg", "notes.txt", "deeper/c.webp"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_images([tmp_path, tmp_path / "notes.txt"])

    assert ["a.jpg", "b.PNG", "deeper/c.webp", "notes.txt"] == [
        file.relative_to(tmp_path).as_posix() for file in found
    ]
