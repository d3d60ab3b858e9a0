"""The protocol's HTTP form: JSON, bytes behind JSON, and what is neither."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import numpy as np
import pytest
from PIL import Image

from fixtures.in_process import InProcessServer
from fixtures.pictures import encode
from integration.server.conftest import StartInProcess
from saccade_server.http import HttpLimits, InferenceRoutes, SidePort

INFER = "/v2/models/tiny/infer"
PNG = base64.b64encode(encode(Image.new("L", (1, 1), 51), "PNG")).decode()


async def serve(server: InProcessServer, *, client_header: str = "") -> SidePort:
    """The HTTP port of a server in this process."""

    async def collect() -> Any:
        return server.metrics.registry

    port = SidePort(
        collect,
        lambda: server.health.ready,
        host="127.0.0.1",
        port=0,
        routes=InferenceRoutes(server.inference.methods(), server.answerer).routes(),
        limits=HttpLimits(max_body_bytes=1 << 20),
        client_header=client_header,
    )
    await port.start()
    return port


@pytest.fixture
async def http(tiny: InProcessServer) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of that port."""
    port = await serve(tiny)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port.port}") as session:
        yield session
    await port.stop()


def asked(datatype: str, data: Any, shape: list[int], **more: Any) -> dict[str, Any]:
    """The JSON of a request."""
    tensor = {"name": "images", "datatype": datatype, "shape": shape, "data": data}
    return {"inputs": [tensor], **more}


async def post(http: aiohttp.ClientSession, said: Any, path: str = INFER) -> tuple[int, Any]:
    """The status and the JSON of an answer."""
    async with http.post(path, json=said) as response:
        return response.status, await response.json()


GOOD = {
    "flat": asked("FP32", [0, 51], [2, 1, 1, 1]),
    "nested": asked("FP32", [[[[0]]], [[[51]]]], [2, 1, 1, 1]),
    "whole numbers": asked("UINT8", [0, 51], [2, 1, 1, 1]),
    "wide": asked("FP64", [0.0, 51.0], [2, 1, 1, 1]),
    "half": asked("FP16", [0.0, 51.0], [2, 1, 1, 1]),
    "long": asked("INT64", [0, 51], [2, 1, 1, 1]),
}


@pytest.mark.parametrize("case", GOOD)
async def test_numbers_in_json_are_answered_in_json(http: aiohttp.ClientSession, case: str) -> None:
    """In one list or in nested ones."""
    status, said = await post(http, GOOD[case] | {"id": "seven"})
    (output,) = said.pop("outputs")

    assert (200, {"model_name": "tiny", "model_version": "1", "id": "seven"}) == (status, said)
    assert [1.0, 0.0, 0.8, 0.2] == [round(score, 4) for score in output.pop("data")]
    assert {"name": "probabilities", "datatype": "FP32", "shape": [2, 2]} == output


@pytest.mark.parametrize(("data", "shape"), [([PNG, PNG], [2]), ([[PNG], [PNG]], [2, 1])])
async def test_files_in_json_are_base64(
    http: aiohttp.ClientSession, data: Any, shape: list[int]
) -> None:
    """Their bytes are no text."""
    _, said = await post(http, asked("BYTES", data, shape))

    assert [0.8, 0.2] * 2 == [round(score, 4) for score in said["outputs"][0]["data"]]


async def test_classes_in_json_are_texts(http: aiohttp.ClientSession) -> None:
    """Score, index and label."""
    outputs = [{"name": "probabilities", "parameters": {"classification": 1}}]
    _, said = await post(http, asked("FP32", [51], [1, 1, 1, 1], outputs=outputs))

    assert {
        "name": "probabilities",
        "datatype": "BYTES",
        "shape": [1, 1],
        "data": ["0.800000:0:dark"],
    } == said["outputs"][0]


async def test_bytes_may_follow_the_json(http: aiohttp.ClientSession) -> None:
    """In both directions, with the length of the JSON in a header."""
    said = asked("FP32", None, [1, 1, 1, 1], parameters={"binary_data_output": True})
    tensor = said["inputs"][0]
    del tensor["data"]
    tensor["parameters"] = {"binary_data_size": 4}
    text = json.dumps(said).encode()
    headers = {"Inference-Header-Content-Length": str(len(text))}
    body = text + np.array([51], "<f4").tobytes()
    async with http.post(INFER, data=body, headers=headers) as response:
        answer = await response.read()
        length = int(response.headers["Inference-Header-Content-Length"])

    assert {"binary_data_size": 8} == json.loads(answer[:length])["outputs"][0]["parameters"]
    assert [0.8, 0.2] == np.frombuffer(answer[length:], "<f4").astype(float).round(4).tolist()


def tensor(**changes: Any) -> dict[str, Any]:
    """A request whose only input is changed."""
    said = asked("FP32", [1], [1, 1, 1, 1])
    said["inputs"][0] |= changes
    return said


BAD: dict[str, tuple[Any, str]] = {
    "no object": ([1], "failed to parse the request JSON: it is no object"),
    "inputs that are no list": ({"inputs": 1}, "'inputs' must be a list of objects"),
    "no inputs": ({}, "expected 1 inputs but got 0 inputs"),
    "no data": (tensor(data=None), "input 'images' has no data"),
    "texts for numbers": (tensor(data=["1"]), "are not all numbers of one shape"),
    "ragged": (tensor(data=[[1], [1, 2]]), "are not all numbers of one shape"),
    "truth values": (tensor(data=[True]), "are not all numbers of one shape"),
    "beyond every number": (tensor(data=[10**400, 0.5]), "are not all numbers of one shape"),
    "fractions for whole numbers": (
        tensor(datatype="INT32", data=[0.5]),
        "are not all of type INT32",
    ),
    "beyond the type": (tensor(datatype="UINT8", data=[256]), "are not all of type UINT8"),
    "few elements": (tensor(shape=[2, 1, 1, 1]), "input byte size mismatch"),
    "shape that is no list": (tensor(shape=3), "the shape of input 'images' is no list of sizes"),
    "unknown type": (tensor(datatype="BOOL"), "data-type is 'BOOL'"),
    "name that is no text": (tensor(name=1), "'name' must be text"),
    "half a character": (tensor(name="\ud800"), "it is no text in UTF-8"),
    "no base64": (tensor(datatype="BYTES", shape=[1], data=["?"]), "are not all base64"),
    "number for a file": (tensor(datatype="BYTES", shape=[1], data=[1]), "are not all base64"),
    "bytes that do not follow": (tensor(parameters={"binary_data_size": 4}), "0 bytes are left"),
    "parameter that is a list": (
        asked("FP32", [1], [1, 1, 1, 1], parameters={"x": []}),
        "the parameter 'x' has an impossible value",
    ),
    "parameter beyond 64 bits": (
        asked("FP32", [1], [1, 1, 1, 1], parameters={"timeout": 1 << 70}),
        "the parameter 'timeout' has an impossible value",
    ),
}


@pytest.mark.parametrize("case", BAD)
async def test_what_is_wrong_is_said(http: aiohttp.ClientSession, case: str) -> None:
    """With 400 and a text."""
    asked, text = BAD[case]
    status, said = await post(http, asked)

    assert (400, True) == (status, text in said["error"]), said


@pytest.mark.parametrize("length", ["x", "-1", "9999", "²"])
async def test_an_impossible_length_is_refused(http: aiohttp.ClientSession, length: str) -> None:
    """The header must fit the body."""
    headers = {"Inference-Header-Content-Length": length}
    async with http.post(INFER, data=b"{}", headers=headers) as response:
        status = response.status

    assert 400 == status


async def test_bytes_that_nothing_announces_are_refused(http: aiohttp.ClientSession) -> None:
    """They would be a tensor that nobody reads."""
    said = json.dumps(asked("FP32", [1], [1, 1, 1, 1])).encode()
    headers = {"Inference-Header-Content-Length": str(len(said))}
    async with http.post(INFER, data=said + b"1234", headers=headers) as response:
        answer = await response.json()

    assert {"error": "4 bytes of the body belong to no tensor"} == answer


GETS: dict[str, tuple[int, Any]] = {
    "/v2/health/live": (200, {"live": True}),
    "/v2/health/ready": (200, {"ready": True}),
    "/v2/models/tiny/ready": (200, {"name": "tiny", "ready": True}),
    "/v2/models/tiny/versions/1/ready": (200, {"name": "tiny", "ready": True}),
    "/v2/models/tiny/versions/2/ready": (400, {"name": "tiny", "ready": False}),
    "/v2/models/nobody/ready": (400, {"name": "nobody", "ready": False}),
    "/v2/models/tiny": (
        200,
        {
            "name": "tiny",
            "versions": ["1"],
            "platform": "tensorflow_savedmodel",
            "inputs": [{"name": "images", "datatype": "FP32", "shape": [-1, 1, 1, 1]}],
            "outputs": [{"name": "probabilities", "datatype": "FP32", "shape": [-1, 2]}],
        },
    ),
}


@pytest.mark.parametrize("path", GETS)
async def test_questions_have_their_paths(http: aiohttp.ClientSession, path: str) -> None:
    """The answers of gRPC as JSON."""
    async with http.get(path) as response:
        said = response.status, await response.json()

    assert GETS[path] == said


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", "/v2/models/nobody", 404, "Request for unknown model: 'nobody' is not found"),
        ("GET", "/v2/models/nobody/stats", 404, "Request for unknown model"),
        ("GET", "/v2/models/tiny/versions/x/config", 400, "failed to get model version"),
        ("POST", "/v2/models/nobody/infer", 404, "Request for unknown model"),
        ("POST", "/v2/repository/models/tiny/load", 403, "explicit model load / unload"),
        ("POST", "/v2/repository/models/tiny/unload", 403, "explicit model load / unload"),
        ("GET", "/v2/systemsharedmemory/status", 404, "no GET of /v2/systemsharedmemory/status"),
        ("GET", "/v2/trace/setting", 404, "no GET of /v2/trace/setting here"),
        ("GET", INFER, 404, "no GET of /v2/models/tiny/infer here"),
    ],
)
async def test_what_cannot_be_answered_is_refused(
    http: aiohttp.ClientSession, method: str, path: str, status: int, text: str
) -> None:
    """With a status and a text that clients show."""
    async with http.request(method, path) as response:
        actual, said = response.status, await response.json()

    assert (status, text) == (actual, said["error"][: len(text)])


async def test_statistics_are_numbers(http: aiohttp.ClientSession) -> None:
    """Also those of 64 bits, and those that are zero."""
    await post(http, GOOD["flat"])
    async with http.get("/v2/models/tiny/stats") as response:
        (stats,) = (await response.json())["model_stats"]

    assert (2, 1, 0, [2]) == (
        stats["inference_count"],
        stats["execution_count"],
        stats["inference_stats"]["fail"]["count"],
        [each["batch_size"] for each in stats["batch_stats"]],
    )


async def test_the_configuration_names_its_enums(http: aiohttp.ClientSession) -> None:
    """As Triton writes them."""
    async with http.get("/v2/models/tiny/config") as response:
        config = await response.json()

    assert ("TYPE_FP32", [1, 1, 1], 16) == (
        config["input"][0]["data_type"],
        config["input"][0]["dims"],
        config["max_batch_size"],
    )


async def test_models_come_and_go_where_that_is_allowed(start_in_process: StartInProcess) -> None:
    """Load, unload and the index between them."""
    server = await start_in_process(may_change_models=True)
    port = await serve(server)
    seen = []
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port.port}") as http:
        for change in ("unload", "load"):
            status, _ = await post(http, {}, f"/v2/repository/models/tiny/{change}")
            _, index = await post(http, {"ready": False}, "/v2/repository/index")
            seen.append((status, index[0]["state"]))
    await port.stop()

    assert [(200, "UNAVAILABLE"), (200, "READY")] == seen


async def test_http_and_grpc_count_alike(
    http: aiohttp.ClientSession, tiny: InProcessServer
) -> None:
    """One handler, one series."""
    await post(http, GOOD["flat"])

    assert 1 == tiny.value(
        "saccade_requests_total", api="inference", method="ModelInfer", model="tiny", code="OK"
    )
