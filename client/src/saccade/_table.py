"""Tables for a person: drawn by rich on a terminal, plain columns in a pipe or without rich."""

import sys
from collections.abc import Sequence
from importlib.util import find_spec


def print_table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints to standard output. Each row has as many cells as there are headers."""
    safe = [[printable(cell) for cell in row] for row in rows]
    if sys.stdout.isatty() and find_spec("rich"):
        _print_rich(headers, safe)
    else:
        _print_plain(headers, safe)


def printable(text: str) -> str:
    """`text` with control characters and undecodable bytes written out.

    File names and texts from a server must not steer the terminal.
    """
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def _print_rich(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*headers, box=box.SIMPLE_HEAD)
    for row in rows:
        # As Text, because rich would read a file name with brackets as markup.
        table.add_row(*map(Text, row))
    Console().print(table)


def _print_plain(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    lines = [headers, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
