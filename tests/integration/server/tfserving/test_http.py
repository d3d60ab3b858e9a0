"""The HTTP form: the same answers as JSON."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image

from fixtures.in_process import InProcessServer
from fixtures.pictures import encode
from saccade_server.http import TensorFlowServingRoutes

WHITE = {"b64": base64.b64encode(encode(Image.new("L", (3, 2), 255), "PNG")).decode()}
LIGHT = [0.0, 1.0]
DARK = [1.0, 0.0]


class Http:
    """Asks the routes of a server."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def get(self, path: str) -> tuple[int, Any]:
        """The status and the JSON of an answer."""
        async with self._session.get(path) as response:
            return response.status, await response.json()

    async def post(self, path: str, said: Any) -> tuple[int, Any]:
        """The same; text is sent as it is."""
        data = said if isinstance(said, str) else json.dumps(said)
        async with self._session.post(path, data=data) as response:
            return response.status, await response.json()


@pytest.fixture
async def http(tiny: InProcessServer) -> AsyncIterator[Http]:
    """The routes, on a real socket."""
    application = web.Application()
    application.add_routes(
        TensorFlowServingRoutes(
            tiny.tensorflow_serving, tiny.answerer, tiny.prediction.input_of
        ).routes()
    )
    async with TestServer(application) as server, aiohttp.ClientSession(server.make_url("")) as it:
        yield Http(it)


ANSWERS = [
    ({"instances": [[[[255]]], [[[0.0]]]]}, {"predictions": [LIGHT, DARK]}),
    ({"instances": [{"images": [[[255]]]}]}, {"predictions": [LIGHT]}),
    ({"instances": [WHITE, WHITE]}, {"predictions": [LIGHT, LIGHT]}),
    ({"instances": [{"images": WHITE}]}, {"predictions": [LIGHT]}),
    ({"instances": [[WHITE]]}, {"predictions": [LIGHT]}),
    ({"inputs": [[[[255]]]]}, {"outputs": [LIGHT]}),
    ({"inputs": {"images": [[[[255]]]]}}, {"outputs": [LIGHT]}),
    ({"inputs": {"images": [WHITE, WHITE]}}, {"outputs": [LIGHT, LIGHT]}),
    ({"inputs": [WHITE], "signature_name": "serving_default"}, {"outputs": [LIGHT]}),
]


@pytest.mark.parametrize(("said", "expected"), ANSWERS)
async def test_predictions_by_rows_and_columns(http: Http, said: Any, expected: Any) -> None:
    """Numbers, or files in base64; named, or not."""
    assert (200, expected) == await http.post("/v1/models/tiny:predict", said)


BAD = {
    "no JSON": ("{", "JSON Parse error: Expecting property name enclosed in double quotes: "
                "line 1 column 2 (char 1)"),
    "no object": ([], "JSON Value: Is not object"),
    "neither form": ({}, "Missing 'inputs' or 'instances' key"),
    "both forms": (
        {"inputs": [], "instances": []},
        "Not formatted correctly expecting only one of 'inputs' or 'instances' keys",
    ),
    "no list": ({"instances": 3}, "Expecting 'instances' to be an list/array"),
    "no rows": ({"instances": []}, "No values in 'instances' array"),
    "rows of two kinds": (
        {"instances": [{"images": 1}, 1]},
        "Expecting object but got value/list at item 1 of input list",
    ),
    "another input by rows": (
        {"instances": [{"x": 1}]},
        "Failed to process element: 0 of 'instances' list. "
        "JSON object: keys must be equal to: images",
    ),
    "another input by columns": (
        {"inputs": {"x": 1}}, "Missing named input: images in 'inputs' object.",
    ),
    "ragged": (
        {"inputs": [[1], [1, 2]]}, "Encountered lists of different sizes at the same level",
    ),
    "text": (
        {"inputs": ["x"]},
        "JSON Value: not all are of expected type: float32 "
        'or {"b64": the bytes of an image file in base64}',
    ),
    "no base64": ({"inputs": [{"b64": "*"}]}, "Unable to base64 decode"),
    "nothing": ({"inputs": [None]}, "JSON Value: not formatted correctly for base64 data"),
    "another shape": (
        {"inputs": [1]},
        "input 'images' has the shape [1], expected is [-1,1,1,1], or [-1] for image files",
    ),
    "another signature": (
        {"inputs": [1], "signature_name": "train"},
        'Serving signature name: "train" not found in signature def',
    ),
    "no signature": (
        {"inputs": [1], "signature_name": 1},
        "JSON Value: not formatted correctly. 'signature_name' key must be a string value.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
async def test_bad_predictions_are_refused(http: Http, name: str) -> None:
    """With 400 and what is wrong."""
    said, text = BAD[name]

    assert (400, {"error": text}) == await http.post("/v1/models/tiny:predict", said)


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("cats", 404, "Servable not found for request: Latest(cats)"),
        ("tiny/versions/7", 404, "Servable not found for request: Specific(tiny, 7)"),
        ("tiny/labels/x", 400, "Unrecognized servable version label: x"),
    ],
)
async def test_unknown_models_are_refused(http: Http, path: str, status: int, text: str) -> None:
    """In the path."""
    answer = await http.post(f"/v1/models/{path}:predict", {"inputs": [WHITE]})

    assert (status, {"error": text}) == answer


@pytest.mark.parametrize("feature", [WHITE, [WHITE], 255, [255.0]])
async def test_examples_are_classified(http: Http, feature: Any) -> None:
    """Files or numbers."""
    said = {"examples": [{"images": feature}]}
    expected = {"results": [[["dark", 0.0], ["light", 1.0]]]}

    assert (200, expected) == await http.post("/v1/models/tiny/versions/1:classify", said)


async def test_examples_may_share_features(http: Http) -> None:
    """Those of the context."""
    said = {"context": {"images": WHITE}, "examples": [{}]}
    _, answer = await http.post("/v1/models/tiny:classify", said)

    assert [[["dark", 0.0], ["light", 1.0]]] == answer["results"]


async def test_regress_is_refused(http: Http) -> None:
    """As over gRPC."""
    status, answer = await http.post("/v1/models/tiny:regress", {"examples": [{"images": 1}]})

    assert (400, True) == (status, answer["error"].startswith("Expected regression signature"))


async def test_the_state_is_told(http: Http) -> None:
    """With names of fields and enum values as TensorFlow Serving writes them."""
    version = {
        "version": "1",
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }

    assert (200, {"model_version_status": [version]}) == await http.get("/v1/models/tiny")


async def test_the_signature_is_told(http: Http) -> None:
    """Inside its map."""
    _, answer = await http.get("/v1/models/tiny/metadata")
    signatures = answer["metadata"]["signature_def"]["signature_def"]

    assert "DT_FLOAT" == signatures["serving_default"]["inputs"]["images"]["dtype"]


async def test_another_path_is_refused(http: Http) -> None:
    """In JSON too."""
    expected = {"error": "Malformed request: GET /v1/model/tiny"}

    assert (400, expected) == await http.get("/v1/model/tiny")
