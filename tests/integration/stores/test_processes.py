"""The processes that ask stores, without a server."""

import os
import signal
from pathlib import Path

import pytest

from fixtures.manifests import write_artifact
from integration.stores.folder_server import FolderServer
from saccade_server.errors import ConfigError
from saccade_server.stores.process import StoreProcesses
from saccade_server.stores.store import Away


def children() -> set[int]:
    """The processes that this one has started."""
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {int(each) for task in tasks for each in task.read_text().split()}


async def test_a_process_that_was_killed_is_replaced(tmp_path: Path) -> None:
    """Whoever asks just then is told that the store is away; the next one is answered."""
    write_artifact(tmp_path / "digits" / "7")
    before = children()
    asking = StoreProcesses()
    try:
        with FolderServer(tmp_path).open() as address:
            url = f"{address}/digits"
            first = await asking.ask("versions", url)
            for pid in children() - before:
                os.kill(pid, signal.SIGKILL)
            with pytest.raises(Away):
                await asking.ask("versions", url)
            second = await asking.ask("versions", url)
    finally:
        await asking.close()

    assert ([7], [7], set()) == (first, second, children() - before)


async def test_what_a_store_cannot_be_is_told(tmp_path: Path) -> None:
    """By the process that downloads, too."""
    stores = StoreProcesses()

    with pytest.raises(ConfigError, match="nosuch"):
        await stores.download(
            "nosuch://b/1", tmp_path / "1", mirrors=tmp_path, max_bytes=1, is_quiet=False
        )
