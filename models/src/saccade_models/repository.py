"""The model repository that versions are written to: `<output>/<model>/<version>/`.

A version is written into a hidden folder beside the others and renamed when it is complete, so
that nobody ever sees half of one.
"""

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from saccade_models.errors import ConfigError, ModelsError

MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def check_model_name(name: str) -> None:
    """Refuses what can't be a folder's name everywhere.

    Raises:
        ConfigError: The name is empty, too long, or has other characters than `A-Za-z0-9._-`.
    """
    if not MODEL_NAME.fullmatch(name):
        raise ConfigError(
            f"name must start with a letter or digit and go on with letters, digits, '.', '_' or "
            f"'-', at most 128 in all, got {name!r}"
        )


@contextmanager
def stage_version(model_folder: Path) -> Iterator[Path]:
    """A hidden, empty folder inside `model_folder`; gone afterwards unless it was published.

    Raises:
        ModelsError: The folder can't be created or written.
    """
    # Named before it is made, so that an interruption at any point finds it to remove.
    staging = model_folder / f".writing-{secrets.token_hex(8)}"
    with make_folder(model_folder):
        try:
            try:
                staging.mkdir()
            except OSError as error:
                raise ModelsError(f"cannot write to {model_folder}: {error.strerror}") from error
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def make_folder(folder: Path) -> Iterator[None]:
    """Makes a folder and those above it; what was made and is empty afterwards goes again.

    Raises:
        ModelsError: It can't be created.
    """
    missing = [above for above in (folder, *folder.parents) if not above.exists()]
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ModelsError(f"cannot write to {folder}: {error.strerror}") from error
        yield
    finally:
        _remove_empty(missing)


def publish_version(staging: Path) -> Path:
    """Renames a staged folder to the next free version.

    Returns:
        The version's folder; its name is one above the highest number there, at least 1.

    Raises:
        ModelsError: The rename failed.
    """
    while True:
        target = staging.parent / str(next_version(staging.parent))
        try:
            return staging.rename(target)
        except OSError as error:
            # Somebody else has just published that number: take the next one.
            if not target.exists():
                raise ModelsError(f"cannot write {target}: {error.strerror}") from error


def next_version(model_folder: Path) -> int:
    """One above the highest version there; 1 where there is none. Gaps stay gaps."""
    names = os.listdir(model_folder)
    return max((int(name) for name in names if re.fullmatch(r"[0-9]+", name)), default=0) + 1


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return
