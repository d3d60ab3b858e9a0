"""TensorFlow Serving over HTTP: `/v1/models/...`.

A route makes the message that a gRPC client would have sent, lets the same handler answer it, and
writes the answer as JSON.
"""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from saccade_server.artifact import InputSpec
from saccade_server.errors import InvalidArgument
from saccade_server.http.asking import Asker
from saccade_server.http.errors import read_body, safely
from saccade_server.http.tfserving_json import (
    fill_examples,
    fill_predict_request,
    parse_body,
    write_classes,
    write_message,
    write_predictions,
)
from saccade_server.protocols import tensorflow_serving_pb as pb
from saccade_server.services.answer import Answerer
from saccade_server.services.call import Call, Method

_MODEL = r"/v1/models/{model:[^/:]+}"
_CHOICES = ("", r"/versions/{version:\d{1,18}}", r"/labels/{label:[^/:]+}")


class TensorFlowServingRoutes:
    """The routes.

    Args:
        methods: Of both services.
        answerer: What answers them.
        input_of: See `PredictionService.input_of`.
    """

    def __init__(
        self, methods: list[Method], answerer: Answerer, input_of: Callable[[Any, Call], InputSpec]
    ) -> None:
        asker = Asker(methods, answerer)
        self._ask, self._answer = asker.ask, asker.answer
        self._input_of = input_of

    def routes(self) -> list[web.RouteDef]:
        """For the side port."""
        handlers = (
            (web.post, ":predict", self._predict),
            (web.post, ":classify", self._classify),
            (web.post, ":regress", self._regress),
            (web.get, "", self._status),
            (web.get, "/metadata", self._metadata),
        )
        return [
            *(
                add(f"{_MODEL}{choice}{rest}", safely(handler))
                for choice in _CHOICES
                for add, rest, handler in handlers
            ),
            web.route("*", "/v1/{rest:.*}", safely(_refuse)),
        ]

    async def _predict(self, request: web.Request) -> web.Response:
        rows = False

        async def read(call: Call) -> Any:
            nonlocal rows
            asked = _named(pb.PredictRequest(), request)
            said = parse_body(await read_body(request), asked)
            rows = fill_predict_request(said, self._input_of(asked, call), asked)
            return asked

        answer = await self._answer("Predict", read, request)
        return web.json_response(write_predictions(answer, rows=rows))

    async def _classify(self, request: web.Request) -> web.Response:
        async def read(_: Call) -> Any:
            asked = _named(pb.ClassificationRequest(), request)
            fill_examples(parse_body(await read_body(request), asked), "classify", asked.input)
            return asked

        return web.json_response(write_classes(await self._answer("Classify", read, request)))

    async def _regress(self, request: web.Request) -> web.Response:
        async def read(_: Call) -> Any:
            asked = _named(pb.RegressionRequest(), request)
            fill_examples(parse_body(await read_body(request), asked), "regress", asked.input)
            return asked

        await self._answer("Regress", read, request)
        raise InvalidArgument("no model here gives numbers")

    async def _status(self, request: web.Request) -> web.Response:
        asked = _named(pb.GetModelStatusRequest(), request)
        return web.json_response(write_message(await self._ask("GetModelStatus", asked, request)))

    async def _metadata(self, request: web.Request) -> web.Response:
        asked = _named(pb.GetModelMetadataRequest(metadata_field=["signature_def"]), request)
        answer = await self._ask("GetModelMetadata", asked, request)
        signatures = pb.SignatureDefMap()
        answer.metadata["signature_def"].Unpack(signatures)
        return web.json_response(
            {
                "model_spec": write_message(answer.model_spec),
                "metadata": {"signature_def": write_message(signatures)},
            }
        )


async def _refuse(request: web.Request) -> web.Response:
    raise InvalidArgument(f"Malformed request: {request.method} {request.path}")


def _named(message: Any, request: web.Request) -> Any:
    """The message, with what the path says of the model."""
    spec = message.model_spec
    spec.name = request.match_info["model"]
    if "version" in request.match_info:
        spec.version.value = int(request.match_info["version"])
    if "label" in request.match_info:
        spec.version_label = request.match_info["label"]
    return message
