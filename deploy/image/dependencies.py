"""Prints what distributions of ours need from others, one requirement a line.

    python dependencies.py client 'server[tensorflow]'

An image layer made from this output survives every change of the sources. Reads the
`pyproject.toml` of the named folders below the working directory; standard library only, since it
runs before anything is installed.
"""

import re
import sys
import tomllib
from pathlib import Path

_OURS = re.compile(r"saccade-(client|server|models)\b")
_SPEC = re.compile(r"(?P<folder>[a-z]+)(\[(?P<extras>[a-z,-]+)\])?")


def requirements(root: Path, specs: list[str]) -> list[str]:
    """The requirements of the distributions in `specs`, each once, in their order.

    Args:
        root: Holds the folders of the distributions.
        specs: Folder names, each with or without extras: "server", "server[tensorflow]".

    Raises:
        SystemExit: A spec is malformed, or names a folder or an extra that does not exist.
    """
    found: dict[str, None] = {}
    for spec in specs:
        match = _SPEC.fullmatch(spec)
        if not match:
            raise SystemExit(f"{spec!r} is not FOLDER or FOLDER[EXTRA,...]")
        extras = match["extras"].split(",") if match["extras"] else []
        lines = _read(root / match["folder"] / "pyproject.toml", extras)
        found.update(dict.fromkeys(line for line in lines if not _OURS.match(line)))
    return list(found)


def _read(file: Path, extras: list[str]) -> list[str]:
    try:
        project = tomllib.loads(file.read_text("utf-8"))["project"]
    except OSError as error:
        raise SystemExit(f"{file}: {error.strerror}") from error
    lines: list[str] = list(project["dependencies"])
    for extra in extras:
        try:
            lines += project["optional-dependencies"][extra]
        except KeyError as error:
            raise SystemExit(f"{file} has no extra {extra!r}") from error
    return lines


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in requirements(Path(), sys.argv[1:]))
