"""Tables for a person."""

import pytest

from saccade._table import print_table, printable


def test_columns_are_aligned_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """And no line ends in blanks."""
    print_table(("image", "class"), [("a.png", "seven"), ("folder/b.png", "")])

    assert "image         class\na.png         seven\nfolder/b.png\n" == capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Größe 7 ✓", "Größe 7 ✓"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("two\nlines", r"two\nlines"),
        ("\udcff.png", r"\udcff.png"),
    ],
)
def test_nothing_steers_the_terminal(text: str, expected: str) -> None:
    """Neither a file name nor a server's text; letters of all scripts stay."""
    assert expected == printable(text)


def test_a_terminal_gets_a_drawn_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By rich, which reads no markup in the cells."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    print_table(("image",), [("[bold]a.png",)])
    out = capsys.readouterr().out

    assert ("─" in out, "[bold]a.png" in out) == (True, True)


def test_without_rich_a_terminal_gets_plain_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command works in the smallest installation."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("saccade._table.find_spec", lambda name: None)
    print_table(("image",), [("a.png",)])

    assert "image\na.png\n" == capsys.readouterr().out
