"""The Open Inference Protocol over HTTP: `/v2/...`.

A route makes the message that a gRPC client would have sent, lets the same handler answer it, and
writes the answer as JSON.
"""

import re
from typing import Any

from aiohttp import web

from saccade_server.errors import InvalidArgument, NotFound
from saccade_server.http.asking import Asker
from saccade_server.http.errors import read_body, safely
from saccade_server.http.json_tensors import (
    parse_object,
    read_infer_request,
    set_parameters,
    write_infer_response,
)
from saccade_server.protocols import inference_pb as pb
from saccade_server.services.answer import Answerer
from saccade_server.services.call import Call, Method

JSON_BYTES = "Inference-Header-Content-Length"
"""The header that says how much of a body is JSON; binary tensors follow."""

_LENGTH = re.compile(r"[0-9]{1,18}")


class InferenceRoutes:
    """The routes.

    Args:
        methods: Of `inference.GRPCInferenceService`.
        answerer: What answers them.
    """

    def __init__(self, methods: list[Method], answerer: Answerer) -> None:
        asker = Asker(methods, answerer)
        self._ask, self._answer = asker.ask, asker.answer

    def routes(self) -> list[web.RouteDef]:
        """For the side port."""
        models = [
            (web.get, "", self._metadata),
            (web.get, "/ready", self._model_ready),
            (web.get, "/config", self._config),
            (web.get, "/stats", self._statistics),
            (web.post, "/infer", self._infer),
        ]
        return [
            web.get("/v2", safely(self._server)),
            web.get("/v2/health/live", safely(self._live)),
            web.get("/v2/health/ready", safely(self._ready)),
            web.get("/v2/models/stats", safely(self._statistics)),
            *(
                add(f"/v2/models/{{name}}{version}{rest}", safely(handler))
                for version in ("", "/versions/{version}")
                for add, rest, handler in models
            ),
            web.post("/v2/repository/index", safely(self._index)),
            web.post("/v2/repository/models/{name}/load", safely(self._load)),
            web.post("/v2/repository/models/{name}/unload", safely(self._unload)),
            web.route("*", "/v2/{rest:.*}", safely(_refuse)),
        ]

    async def _live(self, request: web.Request) -> web.Response:
        answer = await self._ask("ServerLive", pb.ServerLiveRequest(), request)
        return web.json_response({"live": answer.live})

    async def _ready(self, request: web.Request) -> web.Response:
        answer = await self._ask("ServerReady", pb.ServerReadyRequest(), request)
        return web.json_response({"ready": answer.ready}, status=_truth(answer.ready))

    async def _model_ready(self, request: web.Request) -> web.Response:
        asked = pb.ModelReadyRequest(**request.match_info)
        answer = await self._ask("ModelReady", asked, request)
        said = {"name": asked.name, "ready": answer.ready}
        return web.json_response(said, status=_truth(answer.ready))

    async def _server(self, request: web.Request) -> web.Response:
        answer = await self._ask("ServerMetadata", pb.ServerMetadataRequest(), request)
        return web.json_response(to_json(answer))

    async def _metadata(self, request: web.Request) -> web.Response:
        asked = pb.ModelMetadataRequest(**request.match_info)
        return web.json_response(to_json(await self._ask("ModelMetadata", asked, request)))

    async def _config(self, request: web.Request) -> web.Response:
        asked = pb.ModelConfigRequest(**request.match_info)
        answer = await self._ask("ModelConfig", asked, request)
        return web.json_response(to_json(answer.config))

    async def _statistics(self, request: web.Request) -> web.Response:
        asked = pb.ModelStatisticsRequest(**request.match_info)
        return web.json_response(to_json(await self._ask("ModelStatistics", asked, request)))

    async def _infer(self, request: web.Request) -> web.Response:
        binary = False

        async def read(_: Call) -> Any:
            nonlocal binary
            length = request.headers.get(JSON_BYTES)
            if length is not None and not _LENGTH.fullmatch(length):
                raise InvalidArgument(f"{JSON_BYTES} must be a whole number of at least 0")
            body = await read_body(request)
            asked, binary = read_infer_request(body, None if length is None else int(length))
            asked.model_name = request.match_info["name"]
            asked.model_version = request.match_info.get("version", "")
            return asked

        answer = await self._answer("ModelInfer", read, request)
        text, rest = write_infer_response(answer, binary=binary)
        if not binary:
            return web.Response(body=text, content_type="application/json")
        return web.Response(
            body=text + rest,
            content_type="application/octet-stream",
            headers={JSON_BYTES: str(len(text))},
        )

    async def _index(self, request: web.Request) -> web.Response:
        async def read(_: Call) -> Any:
            said = parse_object(await read_body(request))
            return pb.RepositoryIndexRequest(ready=said.get("ready") is True)

        answer = await self._answer("RepositoryIndex", read, request)
        return web.json_response([to_json(model) for model in answer.models])

    async def _load(self, request: web.Request) -> web.Response:
        return await self._change("RepositoryModelLoad", pb.RepositoryModelLoadRequest(), request)

    async def _unload(self, request: web.Request) -> web.Response:
        asked = pb.RepositoryModelUnloadRequest()
        return await self._change("RepositoryModelUnload", asked, request)

    async def _change(self, name: str, asked: Any, request: web.Request) -> web.Response:
        async def read(_: Call) -> Any:
            asked.model_name = request.match_info["name"]
            parameters = parse_object(await read_body(request)).get("parameters", {})
            if not isinstance(parameters, dict):
                raise InvalidArgument("'parameters' must be an object")
            set_parameters(asked.parameters, parameters)
            return asked

        await self._answer(name, read, request)
        return web.json_response({})


def to_json(message: Any) -> dict[str, Any]:
    """All fields by their names in the declarations, messages and choices only where they are set.

    Unlike protobuf's own JSON: numbers of 64 bits stay numbers, as the protocol's clients expect.
    """
    said: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        if field.has_presence and not message.HasField(field.name):
            continue
        value = getattr(message, field.name)
        if field.is_repeated:
            said[field.name] = _list_to_json(field, value)
        elif field.message_type is not None:
            said[field.name] = to_json(value)
        elif field.enum_type is not None:
            said[field.name] = field.enum_type.values_by_number[value].name
        else:
            said[field.name] = value
    return said


def _list_to_json(field: Any, value: Any) -> Any:
    if field.message_type is None:
        return list(value)
    if field.message_type.GetOptions().map_entry:
        return dict(value)
    return [to_json(each) for each in value]


async def _refuse(request: web.Request) -> web.Response:
    raise NotFound(
        f"no {request.method} of {request.path} here: shared memory, trace and log settings "
        "are not offered"
    )


def _truth(ready: bool) -> int:
    """The protocol's form of a truth value: 200, or a status of the client's kind."""
    return 200 if ready else 400
