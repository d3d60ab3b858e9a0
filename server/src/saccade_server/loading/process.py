"""Starting work on an artifact in a process of its own; see `loading.__main__`."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from saccade_server.artifact import MANIFEST, Artifact
from saccade_server.errors import EngineError
from saccade_server.loading.compile_mnn import MNNForm
from saccade_server.loading.sizing import Sizing
from saccade_server.loading.undescribed import place_of

LIMIT_S = 900.0
"""Longer than any graph takes to compile, in seconds."""

AT_ONCE = 32
"""Tasks; each has a thread that waits for it."""

NICENESS = 10
"""Requests go first."""

FEW_THREADS = {
    "OPENBLAS_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
}
"""The other processors are for requests. NumPy's threads have nothing to do, and yet spin."""


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
        self._waiting = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="workshop")

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

    async def try_out(self, artifact: Artifact, engine: str, form: Path) -> Sizing:
        """Loads a form elsewhere first, and finds out how its engine is best run.

        Raises:
            EngineError: It does not load, gives other answers, or ends the process.
        """
        said = await self._run(
            "try",
            artifact.path,
            *("--engine", engine, "--form", str(form), "--threads", str(self._threads)),
            *("--max-batch-images", str(self._max_batch_images)),
            *await self._manifest(artifact),
        )
        return Sizing(**json.loads(said))

    async def make_mnn(self, artifact: Artifact, form: Path, target: Path) -> MNNForm:
        """Has a form for MNN made; see `make_mnn_form`.

        Raises:
            EngineError: MNN cannot take the graph, computes something else, or ends the process.
        """
        said = await self._run(
            "mnn",
            artifact.path,
            *("--form", str(form), "--target", str(target)),
            *await self._manifest(artifact),
        )
        return MNNForm(**json.loads(said))

    async def _manifest(self, artifact: Artifact) -> list[str]:
        if (artifact.path / MANIFEST).is_file():
            return []
        return ["--manifest", str(await asyncio.to_thread(place_of, artifact.path, self._cache))]

    async def _run(self, task: str, path: Path, *options: str) -> str:
        """Runs a task to its end; gives the last line of what it printed.

        The process is started in a thread: an event loop stands still while it makes one.
        """
        command = [
            *(sys.executable, "-m", "saccade_server.loading", task, str(path)),
            *("--cache", str(self._cache), *options),
        ]
        wait_in = asyncio.get_running_loop().run_in_executor
        starting = wait_in(self._waiting, _start, command)
        try:
            process = await asyncio.shield(starting)
            stdout, stderr = await wait_in(self._waiting, _wait, process)
        except BaseException as error:
            process = await starting
            process.kill()
            await wait_in(self._waiting, process.wait)
            if isinstance(error, subprocess.TimeoutExpired):
                raise EngineError(f"the task {task!r} took longer than {LIMIT_S:g} s") from None
            raise
        if process.returncode:
            raise EngineError(_last_line(stderr) or _ending(task, process.returncode))
        return _last_line(stdout)


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    """Starts a process that lets the server go first, with processors and where memory runs out."""
    process = subprocess.Popen(  # noqa: S603 - Our own program.
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **FEW_THREADS},
    )
    # From here: the first thing that it does itself is to import a lot.
    with suppress(OSError):
        if hasattr(os, "setpriority"):
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        Path(f"/proc/{process.pid}/oom_score_adj").write_text("1000")
    return process


def _wait(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    return process.communicate(timeout=LIMIT_S)


def _last_line(data: bytes) -> str:
    return data.decode(errors="replace").strip().rpartition("\n")[2]


def _ending(task: str, code: int) -> str:
    if code < 0:
        return f"the task {task!r} was ended by {signal.Signals(-code).name}"
    return f"the task {task!r} ended with code {code}"
