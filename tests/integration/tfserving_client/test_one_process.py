"""The server beside TensorFlow and the official client: no name is registered twice."""

from pathlib import Path

import pytest

from integration.tfserving_client.packages import run

pytestmark = pytest.mark.timeout(400)

IMPORTS = {
    "server": "import saccade_server.app; "
    "from saccade_server.protocols import tensorflow_serving_pb as ours; "
    "ours.PredictRequest(model_spec={'name': 'x'}).SerializeToString()",
    "client": "from tensorflow_serving.apis import predict_pb2 as theirs, model_service_pb2; "
    "theirs.PredictRequest(model_spec={'name': 'x'}).SerializeToString()",
    "tensorflow": "import tensorflow",
}


ORDERS = [("server", "client", "tensorflow"), ("tensorflow", "client", "server")]
"""Each comes before each other one: names clash between two."""


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_they_share_a_process(packages: Path, order: tuple[str, ...]) -> None:
    """Whichever of two is imported first."""
    lines = [*(IMPORTS[name] for name in order), "print('well')"]

    assert "well" == run(packages, "-c", "\n".join(lines)).strip()
