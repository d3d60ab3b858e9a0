"""Starting work on an artifact in a process of its own; see `loading.__main__`."""

import asyncio
import json
import signal
import sys
from pathlib import Path

from saccade_server.artifact import MANIFEST, Artifact
from saccade_server.errors import EngineError
from saccade_server.loading.sizing import Sizing
from saccade_server.loading.undescribed import place_of

LIMIT_S = 900.0
"""Longer than any graph takes to compile, in seconds."""


class Workshop:
    """Has tasks done in processes that step back behind the server, one for each task.

    Args:
        cache: For what is made.
        threads: Of one engine call.
        max_batch_images: The most that may be found to be good.
    """

    def __init__(self, cache: Path, *, threads: int, max_batch_images: int) -> None:
        self._cache = cache
        self._threads = threads
        self._max_batch_images = max_batch_images

    async def compile(self, artifact: Artifact) -> None:
        """Has a form made and kept.

        Raises:
            EngineError: It cannot be; the text is the compiler's.
        """
        await self._run("compile", artifact.path, *await self._manifest(artifact))

    async def describe(self, path: Path) -> Path:
        """Has a manifest made for a bare SavedModel; gives its file.

        Raises:
            EngineError: It is no classifier, or TensorFlow is not installed.
        """
        place = await asyncio.to_thread(place_of, path, self._cache)
        if not place.is_file():
            await self._run("describe", path)
        return place

    async def try_out(self, artifact: Artifact, form: Path) -> Sizing:
        """Loads a form elsewhere first, and finds out how it is best run.

        Raises:
            EngineError: It does not load, gives other answers, or ends the process.
        """
        said = await self._run(
            "try",
            artifact.path,
            *("--form", str(form), "--threads", str(self._threads)),
            *("--max-batch-images", str(self._max_batch_images)),
            *await self._manifest(artifact),
        )
        return Sizing(**json.loads(said))

    async def _manifest(self, artifact: Artifact) -> list[str]:
        if (artifact.path / MANIFEST).is_file():
            return []
        return ["--manifest", str(await asyncio.to_thread(place_of, artifact.path, self._cache))]

    async def _run(self, task: str, path: Path, *options: str) -> str:
        """Runs a task to its end; gives the last line of what it printed."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "saccade_server.loading", task, str(path)),
            *("--cache", str(self._cache), *options),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            stdout, stderr = await asyncio.wait_for(process.communicate(), LIMIT_S)
        except BaseException as error:
            process.kill()
            await process.wait()
            if isinstance(error, TimeoutError):
                raise EngineError(f"the task {task!r} took longer than {LIMIT_S:g} s") from None
            raise
        if process.returncode:
            raise EngineError(_last_line(stderr) or _ending(task, process.returncode))
        return _last_line(stdout)


def _last_line(data: bytes) -> str:
    return data.decode(errors="replace").strip().rpartition("\n")[2]


def _ending(task: str, code: int) -> str:
    if code < 0:
        return f"the task {task!r} was ended by {signal.Signals(-code).name}"
    return f"the task {task!r} ended with code {code}"
