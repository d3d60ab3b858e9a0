"""Starts Triton for one artifact, says when it is ready, and ends it.

What it serves from, a model repository and a folder of backends, is made of links in a temporary
folder: nothing is copied, and nothing stays.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import grpc

from saccade_server.artifact import read_artifact

from .grpc_request import INPUT, MODEL, OUTPUT

READY_S = 90.0
MAX_BATCH_IMAGES = 64


def main() -> int:
    """Serves on a free port until SIGTERM; returns Triton's exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("installed", type=Path, help="folder of the wheel's contents")
    parser.add_argument("artifact", type=Path, help="the version's folder")
    parser.add_argument("--instances", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0, help="of an instance; 0: TensorFlow's")
    given = parser.parse_args()
    triton = given.installed.resolve() / "pytriton" / "tritonserver"
    port = _free_port()
    with tempfile.TemporaryDirectory() as place:
        command = [
            str(triton / "bin" / "tritonserver"),
            f"--model-repository={_repository(Path(place), given)}",
            f"--backend-directory={_backends(Path(place), triton)}",
            f"--grpc-port={port}",
            "--grpc-address=127.0.0.1",
            "--allow-http=false",
            "--allow-metrics=false",
            "--disable-auto-complete-config",
        ]
        process = subprocess.Popen(command, env=_environment(), stdout=sys.stderr)
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        try:
            # Triton listens when its models are ready.
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                grpc.channel_ready_future(channel).result(READY_S)
            sys.stdout.write(f"ready grpc=127.0.0.1:{port}\n")
            sys.stdout.flush()
        except grpc.FutureTimeoutError:
            process.kill()
        return process.wait()


def _repository(place: Path, given: argparse.Namespace) -> Path:
    """A model repository with that artifact."""
    artifact = read_artifact(given.artifact.resolve())
    folder = place / "models" / MODEL
    (folder / "1").mkdir(parents=True)
    (folder / "1" / "model.py").symlink_to(Path(__file__).with_name("triton_model.py").resolve())
    shape = ", ".join(map(str, artifact.input.shape))
    classes = len(artifact.class_labels)
    parameters = {"artifact": str(given.artifact.resolve()), "threads": str(given.threads)}
    lines = [
        'backend: "python"',
        f"max_batch_size: {MAX_BATCH_IMAGES}",
        f'input {{ name: "{INPUT}" data_type: TYPE_UINT8 dims: [{shape}] }}',
        f'output {{ name: "{OUTPUT}" data_type: TYPE_FP32 dims: [{classes}] }}',
        "dynamic_batching {}",
        f"instance_group {{ kind: KIND_CPU count: {given.instances} }}",
        *(
            f'parameters {{ key: "{name}" value {{ string_value: "{value}" }} }}'
            for name, value in parameters.items()
        ),
    ]
    (folder / "config.pbtxt").write_text("\n".join(lines) + "\n")
    return folder.parent


def _backends(place: Path, triton: Path) -> Path:
    """A folder with the Python backend for this version of Python, of which the wheel has many."""
    folder = place / "backends" / "python"
    folder.mkdir(parents=True)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = triton / "python_backend_stubs" / version / "triton_python_backend_stub"
    for file in (*(triton / "backends" / "python").iterdir(), stub):
        (folder / file.name).symlink_to(file)
    return folder.parent


def _environment() -> dict[str, str]:
    """With the folders in which the backend finds Python's library and this project's packages."""
    return os.environ | {
        "LD_LIBRARY_PATH": sysconfig.get_config_var("LIBDIR"),
        "BENCHMARK_PACKAGES": sysconfig.get_path("purelib"),
    }


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
