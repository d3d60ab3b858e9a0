"""Version after version takes over under load: nothing fails, is mixed up, or leaks."""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conftest import StartServer
from faults.load import Load
from fixtures.http import read_value
from fixtures.processes import resident_kb
from fixtures.server_process import ServerProcess
from fixtures.versions import make_version, scores_of
from saccade_server.artifact import read_artifact

SHORT, FULL = 12, 200
CALLERS = 4
SETTLED = 10
"""Swaps after which memory counts as settled."""

GROWTH = 1.05
SWAP_S = 60.0


def wait_until_gone(server: ServerProcess, version: int) -> None:
    """Until a version has finished its requests and is freed."""
    end = time.monotonic() + SWAP_S
    while read_value(
        server.http, "saccade_model_load_seconds", model="digits", version=str(version)
    ):
        assert time.monotonic() < end, f"version {version} stays:\n{server.log[-4000:]}"
        time.sleep(0.02)


@pytest.mark.timeout(1200)
def test_versions_take_over_under_load(
    start_server: StartServer, artifact: Path, tmp_path: Path, full: bool
) -> None:
    """No request fails, each answer is that of the version that it names, memory stays flat."""
    image = read_artifact(artifact).golden_samples()[0].image
    model = tmp_path / "repository" / "digits"
    beside = tmp_path / "made"
    model.mkdir(parents=True)
    beside.mkdir()
    make_version(artifact, model, 1)
    server = start_server(model.parent, "--poll-s=0.1", "--engine=litert", "--transport=http2")
    server.wait_ready()
    load = Load(server.grpc, image)
    load.expect(1, scores_of(read_artifact(model / "1"), image))
    memory = []
    with ThreadPoolExecutor(CALLERS) as pool:
        callers = [pool.submit(load.ask) for _ in range(CALLERS)]
        try:
            for number in range(2, 2 + (FULL if full else SHORT)):
                made = make_version(artifact, beside, number)
                load.expect(number, scores_of(read_artifact(made), image))
                made.rename(model / str(number))
                load.wait_for(number, 1, server)
                shutil.rmtree(model / str(number - 1))
                wait_until_gone(server, number - 1)
                memory.append(resident_kb(server.pid))
        finally:
            load.stop()
        for caller in callers:
            caller.result()
    flat = max(memory[SETTLED:]) <= GROWTH * memory[SETTLED - 1]

    assert ([], [], True) == (load.failed, load.wrong, flat), memory
