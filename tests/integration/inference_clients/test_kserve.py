"""KServe's inference clients, unchanged, against the server as users run it.

They come with KServe's whole SDK: 450 MB, a minute of processor time. So the environment is made on
request only: SACCADE_TEST_KSERVE=1. Once made it is used.
"""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fixtures.server_process import ServerProcess
from integration.inference_clients.environments import (
    ENVIRONMENTS,
    Unavailable,
    environment,
    run,
)

pytestmark = pytest.mark.timeout(700)

CASES = (
    "grpc FP32 True",
    "grpc FP32 False",
    "grpc UINT8 True",
    "grpc UINT8 False",
    "rest FP32 True",
    "rest FP32 False",
)


@pytest.fixture(scope="module")
def seen(server: ServerProcess, sample: Path) -> Any:
    """What the clients' session saw."""
    if "SACCADE_TEST_KSERVE" not in os.environ and not any(ENVIRONMENTS.glob("kserve-*/complete")):
        pytest.skip("KServe's SDK takes 450 MB: SACCADE_TEST_KSERVE=1 installs it")
    try:
        python = environment("kserve")
    except Unavailable as reason:
        pytest.skip(str(reason))
    script = Path(__file__).with_name("kserve_session.py")
    return json.loads(run(python, script, server.grpc, server.http, str(sample)).splitlines()[-1])


@pytest.mark.parametrize("case", CASES)
def test_answers_are_the_graphs(seen: Any, expected: NDArray[np.float32], case: str) -> None:
    """Over gRPC and REST, raw and typed, to 1e-5."""
    actual = np.reshape(seen[case], expected.shape)

    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("client", ["grpc", "rest"])
def test_health_is_told(seen: Any, client: str) -> None:
    """Server live and ready, model ready."""
    assert [True, True, True] == seen[f"{client} health"]
