"""A really slower version goes live under load, and is taken away again by itself."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest

from conftest import StartServer
from faults.load import Load
from fixtures.http import read_value
from fixtures.versions import make_version, scores_of
from saccade.v1 import classifier_pb2 as pb
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub
from saccade_server.artifact import read_artifact

CALLERS = 4
BOUND_S = 90.0


def make_slow(folder: Path) -> Path:
    """A version that takes many times as long as `artifact`."""
    from fixtures.artifacts import make_slow_artifact

    return make_slow_artifact(folder)


@pytest.mark.timeout(300)
def test_a_slower_version_gives_way_to_the_one_before(
    start_server: StartServer, artifact: Path, tmp_path: Path, full: bool
) -> None:
    """No request fails; it is shown with the reason, and not tried again."""
    if not full:
        pytest.skip("its graph takes long to make: --full")
    slow_artifact = make_slow(tmp_path / "slow")
    image = read_artifact(artifact).golden_samples()[0].image
    model = tmp_path / "repository" / "digits"
    model.mkdir(parents=True)
    make_version(artifact, model, 1)
    made = make_version(slow_artifact, tmp_path, 2)
    server = start_server(model.parent, "--poll-s=0.1", "--engine=litert", "--transport=http2")
    server.wait_ready()
    load = Load(server.grpc, image)
    for number, folder in ((1, model / "1"), (2, made)):
        load.expect(number, scores_of(read_artifact(folder), image))
    with ThreadPoolExecutor(CALLERS) as pool, grpc.insecure_channel(server.grpc) as channel:
        callers = [pool.submit(load.ask) for _ in range(CALLERS)]
        try:
            load.wait_for(1, 200, server)
            made.rename(model / "2")
            end = time.monotonic() + BOUND_S
            labels = {"model": "digits", "reason": "latency"}
            while not read_value(server.http, "saccade_rollbacks_total", **labels):
                assert time.monotonic() < end, server.log[-4000:]
                time.sleep(0.1)
            seen = load.seen.copy()
            # Some dozen looks later it is still the old one that answers.
            load.wait_for(1, seen[1] + 500, server)
        finally:
            load.stop()
        for caller in callers:
            caller.result()
        stub: Any = ImageClassifierStub(channel)
        (listed,) = stub.ListModels(pb.ListModelsRequest(), timeout=20).models
    states = {
        each.version: (pb.VersionState.Name(each.state), each.reason) for each in listed.versions
    }

    assert ([], []) == (load.failed, load.wrong)
    assert (("VERSION_STATE_READY", ""), "VERSION_STATE_FAILED", True) == (
        states[1],
        states[2][0],
        states[2][1].startswith("rolled back to version 1: its engine calls take "),
    )
    assert (True, True) == (seen[2] > 0, load.seen[2] - seen[2] <= CALLERS)
