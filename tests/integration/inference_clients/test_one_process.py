"""The server beside the official clients and TensorFlow: no name is registered twice."""

import subprocess
import sys

import pytest

from integration.inference_clients.environments import Unavailable, environment, site_packages

pytestmark = pytest.mark.timeout(700)

IMPORTS = {
    "server": "import saccade_server.app; from saccade_server.protocols import inference_pb; "
    "inference_pb.ModelInferRequest(model_name='x').SerializeToString()",
    "client": "import tritonclient.grpc as t; from tritonclient.grpc import service_pb2; "
    "service_pb2.ModelInferRequest(model_name='x').SerializeToString()",
    "tensorflow": "import tensorflow",
}

ORDERS = [
    ("client", "server"),
    ("server", "client", "tensorflow"),
    ("tensorflow", "client", "server"),
]
"""Each comes before each other one: names clash between two."""


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_they_share_a_process(order: tuple[str, ...]) -> None:
    """Whichever of two is imported first."""
    try:
        packages = site_packages(environment("triton"))
    except Unavailable as reason:
        pytest.skip(str(reason))
    # Behind our own, so that protobuf, grpcio and numpy are there once.
    lines = [f"import sys; sys.path.append({str(packages)!r})", *(IMPORTS[name] for name in order)]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join([*lines, "print('well')"])],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    assert "well" == done.stdout.strip(), done.stderr
