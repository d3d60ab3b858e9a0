"""Triton's own clients, unchanged, against the server as users run it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fixtures.server_process import ServerProcess
from integration.inference_clients.environments import Unavailable, environment, run

pytestmark = pytest.mark.timeout(700)  # Installs the clients where they are not yet.

KINDS = ("FP16", "FP32", "FP64", "UINT8", "INT32", "INT64", "BYTES")


@pytest.fixture(scope="module")
def seen(server: ServerProcess, sample: Path) -> Any:
    """What the clients' session saw."""
    try:
        python = environment("triton")
    except Unavailable as reason:
        pytest.skip(str(reason))
    script = Path(__file__).with_name("triton_session.py")
    return json.loads(run(python, script, server.grpc, server.http, str(sample)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("client", ["grpc", "http"])
def test_every_data_type_is_answered_as_the_graph_does(
    seen: Any, expected: NDArray[np.float32], client: str, kind: str
) -> None:
    """To 1e-5, whatever the pixels travel as."""
    np.testing.assert_allclose(seen[f"{client} {kind}"], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("packing", ["None", "gzip", "deflate"])
def test_tensors_may_be_json(seen: Any, expected: NDArray[np.float32], packing: str) -> None:
    """Without the binary extension, packed or not."""
    np.testing.assert_allclose(seen[f"json {packing}"], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("client", ["grpc aio", "http aio"])
def test_asynchronous_clients_get_the_same(
    seen: Any, expected: NDArray[np.float32], client: str
) -> None:
    """Eight requests at once."""
    np.testing.assert_allclose(seen[client], [expected] * 8, rtol=0, atol=1e-5)


@pytest.mark.parametrize("client", ["stream", "aio stream"])
def test_streams_get_the_same(seen: Any, expected: NDArray[np.float32], client: str) -> None:
    """One image a request, in their order."""
    np.testing.assert_allclose(seen[client], expected, rtol=0, atol=1e-5)


def test_a_stream_tells_which_request_failed(seen: Any) -> None:
    """The others have their answers."""
    assert ([str(index) for index in range(6)], True) == (
        seen["stream ids"],
        seen["stream error"].startswith("Request for unknown model"),
    )


@pytest.mark.parametrize("client", ["grpc", "http"])
def test_health_is_told(seen: Any, client: str) -> None:
    """Live, ready, model, version; an unknown model is not ready."""
    assert [True, True, True, True, False] == seen[f"{client} health"]


@pytest.mark.parametrize("client", ["grpc", "http"])
def test_best_classes_come_as_texts(seen: Any, expected: NDArray[np.float32], client: str) -> None:
    """Two an image: score, index, label."""
    best = np.argsort(-expected, axis=1)[:, :2]
    texts = [text.split(":") for text in seen[f"{client} classes"]]

    assert [str(index) for index in best.ravel()] == [index for _, index, _ in texts]


@pytest.mark.parametrize(
    ("client", "case", "status", "text"),
    [
        ("grpc", "unknown model", "StatusCode.NOT_FOUND", "Request for unknown model"),
        ("http", "unknown model", "404", "Request for unknown model"),
        ("grpc", "wrong shape", "StatusCode.INVALID_ARGUMENT", "unexpected shape for input"),
        ("http", "wrong shape", "400", "unexpected shape for input"),
        ("grpc", "bad image", "StatusCode.INVALID_ARGUMENT", "image 1: not an image"),
        ("http", "bad image", "400", "image 1: not an image"),
        ("grpc", "unload", "StatusCode.PERMISSION_DENIED", "explicit model load / unload"),
        ("http", "unload", "403", "explicit model load / unload"),
    ],
)
def test_errors_are_what_clients_test_for(
    seen: Any, client: str, case: str, status: str, text: str
) -> None:
    """Status and text."""
    actual, message = seen[f"{client} {case}"]

    assert (status, text) == (actual, message[: len(text)])


def test_both_forms_describe_the_model_alike(seen: Any, images: NDArray[np.uint8]) -> None:
    """Name, versions, tensors."""
    grpc, http = seen["grpc get_model_metadata"], seen["http get_model_metadata"]

    assert ("digits", ["1"], ["-1", *map(str, images.shape[1:])]) == (
        grpc["name"],
        grpc["versions"],
        grpc["inputs"][0]["shape"],
    )
    assert ("digits", ["1"], [-1, *images.shape[1:]]) == (
        http["name"],
        http["versions"],
        http["inputs"][0]["shape"],
    )


def test_statistics_have_counted(seen: Any) -> None:
    """Every image that the session had classified."""
    (stats,) = seen["http get_inference_statistics"]["model_stats"]

    assert stats["inference_count"] >= 6 * len(KINDS) * 2
    assert stats["execution_count"] == sum(
        each["compute_infer"]["count"] for each in stats["batch_stats"]
    )


def test_the_index_shows_the_repository(seen: Any) -> None:
    """Over HTTP a list, over gRPC a message."""
    assert ("digits", "1", "READY") == tuple(
        seen["http get_model_repository_index"][0][key] for key in ("name", "version", "state")
    )
