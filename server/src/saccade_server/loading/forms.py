"""Where compiled forms are: in the artifact, or in a cache beside a read-only repository.

A form belongs to one SavedModel, named by its checksum: a graph that changed finds no form.
"""

import os
import tempfile
import time
from contextlib import suppress
from itertools import chain
from pathlib import Path

from saccade.v1 import manifest_pb2
from saccade_server.artifact import ASSETS, Artifact, inside, saved_model_sha256

SUFFIX = ".tflite"
FOLDER = f"{ASSETS}/litert"

WRITING = ".writing-"
LEFT_S = 600.0
"""No write takes as long: a file of that age was left by a process that has gone."""


class FormStore:
    """Finds and keeps the compiled forms of artifacts.

    Several processes may use the same folders: a form is written beside its place and renamed.

    Args:
        cache: For the forms of artifacts whose folder cannot be written. Created when needed.
    """

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    def find(self, artifact: Artifact, engine: str = "litert") -> Path | None:
        """The form of the artifact's present graph for an engine, or None.

        What servers compile themselves is for LiteRT; the others stand in the manifest.
        """
        listed = [form for form in artifact.manifest.compiled if form.engine == engine]
        own = engine == "litert"
        if not (listed or own):
            return None  # Without reading the graph.
        source = saved_model_sha256(artifact.path)
        made = (inside(artifact.path, form.path) for form in listed if form.source_sha256 == source)
        places = chain(made, self._places(artifact, source) if own else ())
        return next((path for path in places if path.is_file()), None)

    def keep(self, artifact: Artifact, form: bytes) -> Path:
        """Stores a form of the artifact's present graph.

        Raises:
            OSError: Neither the artifact's folder nor the cache can be written.
        """
        beside, cached = self._places(artifact, saved_model_sha256(artifact.path))
        try:
            return write_whole(beside, form)
        except OSError:
            return write_whole(cached, form)

    def _places(self, artifact: Artifact, source: str) -> tuple[Path, Path]:
        name = source[:32] + SUFFIX
        return artifact.path / FOLDER / name, self._cache / name


def golden_of(artifact: Artifact, form: Path | None) -> manifest_pb2.GoldenSet:
    """What an engine that runs `form` is held to.

    That is the form's own golden set where the manifest has one, as for a quantised form, or else
    the manifest's, as for the SavedModel (None).

    Raises:
        ArtifactError: The manifest names a form outside the artifact.
    """
    if form is not None:
        for listed in artifact.manifest.compiled:
            if listed.HasField("golden") and inside(artifact.path, listed.path) == form.resolve():
                return listed.golden
    return artifact.manifest.golden


def write_whole(path: Path, data: bytes) -> Path:
    """Writes all of it or nothing, whatever happens in between.

    What a process that was killed left beside the place is removed by the next one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f"{WRITING}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > LEFT_S:
                left.unlink()
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=WRITING, delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    return path
