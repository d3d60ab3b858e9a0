"""A signal that comes while a worker is being started."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest

from saccade_server.config import parse_config
from saccade_server.supervisor import Supervisor


async def test_a_worker_that_is_being_started_is_stopped_too(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signal finds no process yet to be passed on to."""
    given = {"model_repository": str(repository), "grpc_port": "0", "http_port": "0"}
    supervisor = Supervisor(
        parse_config({**given, "workers": "1"}, {}), [f"--model-repository={repository}"]
    )
    start = asyncio.create_subprocess_exec

    async def start_late(*command: str, **options: Any) -> asyncio.subprocess.Process:
        signal.raise_signal(signal.SIGTERM)
        await asyncio.sleep(0.1)
        return await start(*command, **options)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", start_late)
    async with asyncio.timeout(20):
        await supervisor.run(lambda line: None)

    assert [None] != [worker.process for worker in supervisor._workers]
