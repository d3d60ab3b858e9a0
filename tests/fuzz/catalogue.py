"""The targets by name, what each begins with, and the inputs that once did harm."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

_HERE = Path(__file__).parent
REGRESSIONS = _HERE / "regressions"
"""A folder for each target that has any, a file for each input."""

Check = Callable[[bytes], None]
"""Feeds an input to the code. What it raises is a finding: errors that callers get are caught."""


class Target(Protocol):
    """A module of `targets`."""

    def seeds(self) -> Iterable[bytes]:
        """Inputs that the code takes, for others to be made of."""

    def opened(self) -> AbstractContextManager[Check]:
        """The check, and what it needs to run."""


def names() -> list[str]:
    """All targets."""
    return sorted(file.stem for file in (_HERE / "targets").glob("*.py"))


def load(name: str) -> Target:
    """A target by its name; only then the code that it tries is imported."""
    return cast(Target, import_module(f"{__package__}.targets.{name}"))


def regressions(name: str) -> list[bytes]:
    """Inputs that did harm until the code was repaired."""
    return [file.read_bytes() for file in sorted((REGRESSIONS / name).glob("*"))]
