"""What a server that runs compiled graphs needs, and what hostile pictures can make it need."""

import io
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from PIL import Image

from conftest import StartServer
from fixtures.server_process import ServerProcess
from saccade.v1 import classifier_pb2 as pb
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub

MEMORY_MB = 150
HUGE_IMAGES = 64
HUGE_SIDE = 3000
THREADS = 2
HUGE_MB = HUGE_SIDE * HUGE_SIDE * 3 / 2**20

FORBID = '''
import sys

class Forbid:
    """Fails at the first import of TensorFlow, whoever asks for it."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("tensorflow", "keras"):
            raise AssertionError(f"{name} was imported")

sys.meta_path.insert(0, Forbid())
'''

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def light_server(start_server: StartServer, repository: Path, tmp_path: Path) -> ServerProcess:
    """A server of its own, in which an import of TensorFlow fails."""
    (tmp_path / "sitecustomize.py").write_text(FORBID)
    server = start_server(
        repository, f"--decode-threads={THREADS}", environment={"PYTHONPATH": str(tmp_path)}
    )
    server.wait_ready()
    return server


def classify(server: ServerProcess, *images: bytes) -> pb.ClassifyResponse:
    """One request of image files."""
    with grpc.insecure_channel(server.grpc) as channel:
        request = pb.ClassifyRequest(images=[pb.Image(encoded=image) for image in images])
        return ImageClassifierStub(channel).Classify(request, timeout=120)


def memory_mb(server: ServerProcess, field: str) -> float:
    """A size from the process' status: VmRSS (now) or VmHWM (the most it ever was)."""
    for line in Path(f"/proc/{server.pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(field)


def test_a_compiled_graph_is_served_without_tensorflow(
    light_server: ServerProcess, artifact: Path
) -> None:
    """With an import hook that fails on TensorFlow, a golden image gets its class."""
    response = classify(light_server, (artifact / "assets.extra/golden/3.png").read_bytes())

    assert 5 == len(response.results[0].classification.classes)


@linux_only
def test_the_small_network_takes_little_memory(light_server: ServerProcess, artifact: Path) -> None:
    """Served and warm, the process stays below the bound that the documentation states."""
    for _ in range(20):
        classify(light_server, (artifact / "assets.extra/golden/3.png").read_bytes())

    assert memory_mb(light_server, "VmRSS") <= MEMORY_MB


@linux_only
def test_many_huge_pictures_at_once_take_the_memory_of_a_few(light_server: ServerProcess) -> None:
    """Of 64 pictures of 26 MB each, sent at once, only as many are in memory as threads decode."""
    buffer = io.BytesIO()
    Image.new("RGB", (HUGE_SIDE, HUGE_SIDE), "white").save(buffer, "PNG")
    before = memory_mb(light_server, "VmRSS")
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(classify, light_server, *[buffer.getvalue()] * 8) for _ in range(8)]
        answers = [result for future in asked for result in future.result().results]
    peak = memory_mb(light_server, "VmHWM") - before

    assert [True] * HUGE_IMAGES == [answer.HasField("classification") for answer in answers]
    # A thread holds a picture in its own mode and in the graph's.
    assert peak <= THREADS * 2 * HUGE_MB + 50
