"""Broken versions do not serve, and do not keep the good ones from serving."""

import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub

from conftest import StartServer
from fixtures.http import get
from fixtures.server_process import READY_S, ServerProcess
from saccade.v1 import classifier_pb2 as pb
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub
from saccade_server.artifact import read_manifest, write_manifest

PIXELS = pb.Image(pixels=pb.PixelTensor(height=28, width=28, channels=1, data=bytes(784)))

GOOD = "digits"
# Why each of the others cannot serve.
BROKEN = {
    "half-copied": "has no saved_model.pb: it is not a SavedModel, or not copied whole",
    "leads-out": "variables/more is a link that leads out of the repository",
    "other-answers": "gives other answers for the golden samples",
}
# What their callers are told.
TOLD = {
    "half-copied": "version 1 of 'half-copied' is not complete yet: try again later",
    "leads-out": "version 1 of 'leads-out' failed to load",
    "other-answers": "version 1 of 'other-answers' failed to load",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A server, most of whose models are broken, and a channel to it."""

    process: ServerProcess
    http: str
    channel: grpc.Channel


@pytest.fixture
def broken(start_server: StartServer, artifact: Path, tmp_path: Path) -> Iterator[Broken]:
    """That server; every model has been tried. It tells no address, so it is given one."""
    root = tmp_path / "repository"
    for model in (GOOD, *BROKEN):
        shutil.copytree(artifact, root / model / "1")
    (root / "half-copied" / "1" / "saved_model.pb").unlink()
    (root / "leads-out" / "1" / "variables" / "more").symlink_to("/etc/passwd")
    wrong = root / "other-answers" / "1"
    golden = wrong / "assets.extra" / "golden"
    shutil.copy(golden / "0.png", golden / "1.png")
    write_manifest(wrong, read_manifest(wrong))
    http, grpc_ = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    process = start_server(
        root,
        "--engine=litert",
        f"--http-port={http.rpartition(':')[2]}",
        f"--grpc-port={grpc_.rpartition(':')[2]}",
    )
    end = time.monotonic() + READY_S
    while "not every model could be loaded" not in process.log:
        assert process.running, process.log
        assert time.monotonic() < end, process.log
        time.sleep(0.05)
    with grpc.insecure_channel(grpc_) as channel:
        yield Broken(process=process, http=http, channel=channel)


def free_port() -> int:
    """A port on which nobody listens at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_each_model_stands_for_itself(broken: Broken) -> None:
    """The good one answers; of the others the list tells why they do not, and health that."""
    stub: Any = ImageClassifierStub(broken.channel)
    health: Any = HealthStub(broken.channel)
    request = pb.ClassifyRequest(images=[PIXELS], model=pb.ModelSpec(name=GOOD))
    answer = stub.Classify(request, timeout=20)
    listed = {model.name: model for model in stub.ListModels(pb.ListModelsRequest()).models}
    told = {name: reason in listed[name].versions[0].reason for name, reason in BROKEN.items()}
    statuses = {
        name: health.Check(health_pb2.HealthCheckRequest(service=name)).status
        for name in ("", GOOD, *BROKEN)
    }

    assert (
        1,
        dict.fromkeys(BROKEN, True),
        {"": 2, GOOD: 1, **dict.fromkeys(BROKEN, 2)},
        503,
        200,
    ) == (
        len(answer.results),
        told,
        statuses,
        get(broken.http, "/readyz")[0],
        get(broken.http, "/livez")[0],
    )


def test_a_broken_model_is_unavailable(broken: Broken) -> None:
    """Its callers may find it elsewhere; they are not told what is wrong with our files."""
    stub: Any = ImageClassifierStub(broken.channel)
    errors = {}
    for name in BROKEN:
        request = pb.ClassifyRequest(images=[PIXELS], model=pb.ModelSpec(name=name))
        with pytest.raises(grpc.RpcError) as failed:
            stub.Classify(request, timeout=20)
        call: Any = failed.value
        errors[name] = (call.code(), call.details())
    expected = {name: (grpc.StatusCode.UNAVAILABLE, text) for name, text in TOLD.items()}

    assert expected == errors


@pytest.mark.parametrize("workers", [1, 2])
def test_where_one_is_enough_the_good_model_makes_the_server_ready(
    start_server: StartServer, artifact: Path, tmp_path: Path, workers: int
) -> None:
    """It says so and answers, while the broken one is shown as it is."""
    for model in (GOOD, "half-copied"):
        shutil.copytree(artifact, tmp_path / "repository" / model / "1")
    (tmp_path / "repository" / "half-copied" / "1" / "saved_model.pb").unlink()
    server = start_server(
        tmp_path / "repository", "--ready-when=any", f"--workers={workers}", "--engine=litert"
    )
    server.wait_ready()
    with grpc.insecure_channel(server.grpc) as channel:
        health: Any = HealthStub(channel)
        statuses = [
            health.Check(health_pb2.HealthCheckRequest(service=name), timeout=20).status
            for name in ("", GOOD, "half-copied")
        ]

    assert ([1, 1, 2], 200) == (statuses, get(server.http, "/readyz")[0])
