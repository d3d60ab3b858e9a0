"""The files of an artifact: where they are, and what proves that they are whole."""

import hashlib
from pathlib import Path

from saccade.v1 import manifest_pb2
from saccade_server.errors import ArtifactError

ASSETS = "assets.extra"
MANIFEST = f"{ASSETS}/manifest.json"
GRAPH = "saved_model.pb"


def checksum_files(path: Path) -> list[manifest_pb2.FileChecksum]:
    """SHA-256 and size of every file below `path` except the manifest, by path."""
    sums = []
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        if file.is_file() and name != MANIFEST:
            sums.append(
                manifest_pb2.FileChecksum(path=name, sha256=sha256(file), bytes=file.stat().st_size)
            )
    return sums


def saved_model_sha256(path: Path) -> str:
    """One checksum over the graph and its variables: the key of everything compiled from them."""
    digest = hashlib.sha256()
    files = [
        path / GRAPH,
        *sorted((path / "variables").glob("*")),
        *sorted((path / "assets").glob("*")),
    ]
    for file in files:
        digest.update(f"{file.relative_to(path).as_posix()} {sha256(file)}\n".encode())
    return digest.hexdigest()


def inside(root: Path, name: str) -> Path:
    """The path of `name` below `root`.

    Raises:
        ArtifactError: It leads out of `root`, or no file can have that name.
    """
    try:
        path = (root / name).resolve()
    except ValueError as error:
        raise ArtifactError(f"{name!r} is no file's name: {error}") from error
    if not path.is_relative_to(root.resolve()):
        raise ArtifactError(f"{name!r} leads out of {root}")
    return path


def sha256(file: Path) -> str:
    """The checksum of one file: 64 hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
