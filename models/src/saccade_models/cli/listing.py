"""What the commands that list something have in common."""

import argparse
import json
from collections.abc import Iterable
from typing import Protocol


class Entry(Protocol):
    """Something with a name that can be chosen."""

    @property
    def name(self) -> str:
        """What a flag takes."""

    @property
    def summary(self) -> str:
        """What it is, in some words."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Declares `--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def print_entries(entries: Iterable[Entry], *, as_json: bool) -> None:
    """Prints a line for each, or one JSON array."""
    rows = [{"name": entry.name, "summary": entry.summary} for entry in entries]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        print(f"{row['name']:{width}}  {row['summary']}")
