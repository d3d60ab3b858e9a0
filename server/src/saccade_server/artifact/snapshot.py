"""What a version's folder looks like at one moment: enough to see that it changes.

A copy under way shows as files that appear and grow. Nothing is opened here: the folder may hold
what must not be opened, and it may be somebody else's.
"""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from saccade_server.artifact.files import ASSETS
from saccade_server.errors import ArtifactError

MAX_FILES = 10_000
MAX_DEPTH = 16
MAX_BYTES = 16 << 30
"""Of a version. All of it is read before it serves, and again for what is compiled; a sparse file
may say that it is of any size."""

_FORM = re.compile(rf"{re.escape(ASSETS)}/litert/(\.writing-.*|[0-9a-f]{{32}}\.tflite)")
"""What `FormStore` writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The files of a folder. Two that are equal show the same content, unless someone set clocks.

    Attributes:
        files: Path below the folder, bytes, and nanoseconds of the last change, sorted.
        changed_s: When the folder last changed, seconds since 1970. Copying tools can set a file's
            time of change, but not this one.
    """

    files: tuple[tuple[str, int, int], ...]
    changed_s: float

    def same(self, other: "Snapshot | None", *, but_for_forms: bool = False) -> bool:
        """Whether nothing happened in between.

        Args:
            other: Of the same folder; None: nothing is known.
            but_for_forms: Forms that a server may have compiled meanwhile do not count.
        """
        if other is None or not but_for_forms:
            return other is not None and self.files == other.files
        return self._without_forms() == other._without_forms()

    def _without_forms(self) -> list[tuple[str, int, int]]:
        return [file for file in self.files if not _FORM.fullmatch(file[0])]


def take_snapshot(path: Path, root: Path) -> Snapshot:
    """Looks at all files of a version's folder.

    Args:
        path: The folder.
        root: What its links must not lead out of.

    Raises:
        ArtifactError: A link leads out, something is neither a file nor a folder, or they are
            absurdly many or large; the text has no path but those below the folder.
    """
    boundary = root.resolve()
    _check_inside(path, boundary, "the version's folder")
    files: list[tuple[str, int, int]] = []
    changed_s, size = 0.0, 0
    for name, status in _walk(path, boundary, "", 0):
        changed_s = max(changed_s, status.st_ctime)
        if stat.S_ISREG(status.st_mode):
            files.append((name, status.st_size, status.st_mtime_ns))
            size += status.st_size
        if len(files) > MAX_FILES:
            raise ArtifactError(f"there are more than {MAX_FILES} files in it")
        if size > MAX_BYTES:
            raise ArtifactError(f"its files have more than {MAX_BYTES} bytes")
    return Snapshot(files=tuple(sorted(files)), changed_s=changed_s)


def _walk(
    folder: Path, boundary: Path, prefix: str, depth: int
) -> Iterator[tuple[str, os.stat_result]]:
    """The files and folders below `folder`, links followed."""
    if depth > MAX_DEPTH:
        raise ArtifactError(f"{prefix} is nested deeper than {MAX_DEPTH} folders")
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise ArtifactError(f"{prefix or 'the folder'} cannot be read: {error.strerror}") from error
    for entry in entries:
        name = prefix + entry.name
        if entry.is_symlink():
            _check_inside(Path(entry.path), boundary, name)
        try:
            status = entry.stat()
        except FileNotFoundError:  # Removed in between, or a link to nothing.
            continue
        except OSError as error:
            raise ArtifactError(f"{name} cannot be read: {error.strerror}") from error
        if stat.S_ISDIR(status.st_mode):
            yield name, status
            yield from _walk(Path(entry.path), boundary, f"{name}/", depth + 1)
        elif stat.S_ISREG(status.st_mode):
            yield name, status
        else:
            raise ArtifactError(f"{name} is neither a file nor a folder")


def _check_inside(path: Path, boundary: Path, name: str) -> None:
    try:
        target = path.resolve()
    except (OSError, RuntimeError) as error:
        raise ArtifactError(f"{name} leads nowhere") from error
    if not target.is_relative_to(boundary):
        raise ArtifactError(f"{name} is a link that leads out of the repository")
