"""The generated stubs load with the oldest protobuf and grpcio that the contracts promise.

In an environment of its own, with nothing of ours installed; the other tests run with the newest.
"""

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from fixtures.server_process import ServerProcess

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "client" / "src"
MODULES = (
    "saccade.v1.classifier_pb2",
    "saccade.v1.classifier_pb2_grpc",
    "saccade.v1.manifest_pb2",
)
PIP_S = 240
RUN_S = 60

CALL = """
import sys
import grpc
from saccade.v1 import classifier_pb2 as pb, classifier_pb2_grpc

pixels = pb.PixelTensor(height=28, width=28, channels=1, data=bytes(784))
with grpc.insecure_channel(sys.argv[1]) as channel:
    stub = classifier_pb2_grpc.ImageClassifierStub(channel)
    request = pb.ClassifyRequest(images=[pb.Image(pixels=pixels)], top_k=3)
    print(len(stub.Classify(request, timeout=20).results[0].classification.classes))
"""


def oldest_versions() -> list[str]:
    """What `proto/README.md` promises, for pip: the first two versions that it names."""
    text = (ROOT / "proto" / "README.md").read_text()
    found = re.search(r"Any protobuf from (\S+) to .*? and any grpcio from (\S+) ", text, re.DOTALL)
    assert found is not None
    return [f"protobuf=={found[1]}", f"grpcio=={found[2]}"]


@pytest.fixture(scope="module")
def old_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with the oldest versions only."""
    if sys.version_info[:2] != (3, 11):
        pytest.skip("there are no wheels of the oldest grpcio for this Python, only for 3.11")
    folder = tmp_path_factory.mktemp("oldest")
    venv.create(folder)
    python = folder / "bin" / "python"
    # The project's own pins are of the newest.
    environment = {key: value for key, value in os.environ.items() if "CONSTRAINT" not in key}
    installed = subprocess.run(
        [
            sys.executable, "-m", "pip", f"--python={python}", "install", "--no-compile",
            "--quiet", "--only-binary=:all:",
            "--retries=1", "--timeout=30", *oldest_versions(),
        ],
        env=environment, capture_output=True, text=True, timeout=PIP_S, check=False,
    )  # fmt: skip
    if installed.returncode:
        pytest.skip(f"pip cannot get {oldest_versions()}: {installed.stderr.strip()[-300:]}")
    return python


def run(python: Path, code: str, *arguments: str) -> str:
    """What a script prints; a warning is an error, and so is anything on standard error."""
    ended = subprocess.run(
        [python, "-W", "error", "-c", code, *arguments],
        env={"PYTHONPATH": str(SOURCES), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, timeout=RUN_S, check=False,
    )  # fmt: skip
    assert (0, "") == (ended.returncode, ended.stderr)
    return ended.stdout.strip()


def test_the_environment_has_the_oldest_versions(old_python: Path) -> None:
    """Not those of the project."""
    code = "import google.protobuf, grpc; print(google.protobuf.__version__, grpc.__version__)"
    expected = [requirement.partition("==")[2] for requirement in oldest_versions()]

    assert expected == run(old_python, code).split()


@pytest.mark.parametrize("module", MODULES)
def test_a_stub_loads_with_the_oldest_versions(old_python: Path, module: str) -> None:
    """Without a warning."""
    code = f"import {module} as stub; print(stub.__name__)"

    assert module == run(old_python, code)


def test_the_oldest_versions_can_call_the_server(old_python: Path, server: ServerProcess) -> None:
    """A client that has not been renewed for years gets its answer."""
    assert "3" == run(old_python, CALL, server.grpc)
