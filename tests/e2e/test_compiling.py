"""An artifact without a compiled form is served at once, and on the quick engine soon."""

import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from PIL import Image

from conftest import StartServer
from fixtures.http import read_metrics
from fixtures.pictures import encode, gradient
from fixtures.server_process import ServerProcess
from fixtures.versions import drop_forms
from saccade.v1 import classifier_pb2 as pb
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub

IMAGE = pb.Image(encoded=encode(Image.fromarray(gradient(28, 28)[..., 0]), "PNG"))
REQUEST = pb.ClassifyRequest(images=[IMAGE], top_k=1)
CALLERS = 2
PAUSE_S = 0.05
BOUND_S = 240.0
"""What compiles steps back behind all that runs, other tests too: it may take ten times as long."""


def engine(server: ServerProcess) -> str:
    """What answers now."""
    (sample,) = read_metrics(server.http)["saccade_model_info"].samples
    return sample.labels["engine"]


def ask_while(
    server: ServerProcess, going_on: threading.Event
) -> tuple[pb.ScoredClass, pb.ScoredClass]:
    """Sends requests for as long as it is told; the first and the last best class."""
    with grpc.insecure_channel(server.grpc) as channel:
        stub: Any = ImageClassifierStub(channel)
        first = last = stub.Classify(REQUEST, timeout=60)
        while going_on.is_set():
            last = stub.Classify(REQUEST, timeout=60)
            time.sleep(PAUSE_S)
    ends = [answer.results[0].classification.classes[0] for answer in (first, last)]
    return ends[0], ends[1]


@pytest.mark.timeout(300)
def test_no_request_fails_while_the_engine_is_exchanged(
    start_server: StartServer, artifact: Path, tmp_path: Path
) -> None:
    """TensorFlow answers while LiteRT's form is made, which takes over between two calls."""
    version = tmp_path / "repository" / "digits" / "1"
    shutil.copytree(artifact, version)
    drop_forms(version)
    server = start_server(tmp_path / "repository", f"--cache-dir={tmp_path / 'cache'}")
    server.wait_ready()
    before = engine(server)
    going_on = threading.Event()
    going_on.set()
    with ThreadPoolExecutor(CALLERS) as pool:
        callers = [pool.submit(ask_while, server, going_on) for _ in range(CALLERS)]
        try:
            end = time.monotonic() + BOUND_S
            while engine(server) == before and time.monotonic() < end:
                time.sleep(0.2)
            time.sleep(0.5)
        finally:
            going_on.clear()
        answers = [caller.result() for caller in callers]

    assert ("tensorflow", "litert", True) == (
        before,
        engine(server),
        all(
            first.label == last.label and abs(first.score - last.score) < 1e-5
            for first, last in answers
        ),
    )
