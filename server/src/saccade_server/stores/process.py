"""Having stores asked by processes apart; see `stores.__main__`."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Any

from saccade_server.errors import ArtifactError, ConfigError, IncompleteArtifact
from saccade_server.stores.download import Unquiet
from saccade_server.stores.store import Away

ANSWER_S = 60.0
"""No list takes as long, in seconds: a store that does is taken to be out of reach."""

STALL_S = 120.0
"""A download that says nothing for as long is given up. Where the processors are busy, it waits."""

LINE_BYTES = 64 << 20
"""Of an answer: a list of files."""

_ERRORS: dict[str, type[Exception]] = {
    "config": ConfigError,
    "away": Away,
    "unquiet": Unquiet,
    "incomplete": IncompleteArtifact,
    "wrong": ArtifactError,
    "disk": OSError,
}


class StoreProcesses:
    """Asks stores what they hold, through one process that stays, and downloads, by one each."""

    def __init__(self) -> None:
        self._asked: Process | None = None
        self._turn = asyncio.Lock()

    async def ask(self, task: str, url: str) -> Any:
        """The answer to a question: see `stores.listing`.

        Args:
            task: "models", "versions" or "files".
            url: Of a repository, a model or a version.

        Raises:
            Away: The store cannot be asked.
            ArtifactError: What it says cannot be.
            ConfigError: A package is missing; the text names it.
        """
        async with self._turn:
            try:
                line = await self._converse({"task": task, "url": url})
            except BaseException:
                # What is left of this answer must not be taken for the next one's.
                await self.close()
                raise
        return _result(line)["found"]

    async def download(
        self, url: str, version: Path, *, mirrors: Path, max_bytes: int, is_quiet: bool
    ) -> int:
        """Has a version brought; gives the bytes that were downloaded. See `stores.download`.

        Raises:
            IncompleteArtifact: It is not whole in the store.
            ArtifactError: It is wrong.
            Away: The store cannot be asked, or has fallen silent.
            OSError: There is no room for it.
            ConfigError: A package is missing; the text names it.
        """
        options = [f"--mirrors={mirrors}", f"--max-bytes={max_bytes}"]
        if is_quiet:
            options.append("--quiet")
        process = await _start("fetch", *options, "--", url, str(version))
        try:
            line = last = await _read(process, STALL_S)
            while line:
                last = line
                line = await _read(process, STALL_S)
            return int(_result(last)["bytes"])
        finally:
            await _end(process)

    async def close(self) -> None:
        """Ends the process that stays, whatever it is doing."""
        if self._asked is not None:
            process, self._asked = self._asked, None
            await _end(process)

    async def _converse(self, question: dict[str, str]) -> bytes:
        if self._asked is None:
            self._asked = await _start("look")
        assert self._asked.stdin  # noqa: S101 - asked for
        try:
            self._asked.stdin.write(json.dumps(question).encode() + b"\n")
            await self._asked.stdin.drain()
        except OSError as error:
            raise Away(f"the process that asks has gone: {error}") from error
        line = await _read(self._asked, ANSWER_S)
        if not line:
            raise Away("the process that asks has ended")
        return line


async def _start(task: str, *arguments: str) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "saccade_server.stores", task, *arguments),
        stdin=PIPE,
        stdout=PIPE,
        # Ctrl-C is for the server, which then ends it.
        start_new_session=True,
        limit=LINE_BYTES,
    )


async def _read(process: Process, limit_s: float) -> bytes:
    """A line; empty at the end.

    Raises:
        Away: None came for too long, or it is longer than any.
    """
    assert process.stdout  # noqa: S101 - asked for
    try:
        return await asyncio.wait_for(process.stdout.readline(), limit_s)
    except TimeoutError:
        raise Away(f"it has said nothing for {limit_s:g} s") from None
    except ValueError as error:
        raise Away(f"it lists more than {LINE_BYTES} bytes") from error


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()


def _result(line: bytes) -> dict[str, Any]:
    """What a process says.

    Raises:
        Exception: The error that it tells of.
    """
    try:
        said: dict[str, Any] = json.loads(line)
    except ValueError:
        said = {}
    if "error" in said:
        raise _ERRORS[said["error"]](said["text"])
    if not said.keys() & {"found", "bytes"}:
        raise Away("the process that asks has ended")
    return said
