"""Errors of the APIs over HTTP: a status, and JSON that says what is wrong."""

import math
from collections.abc import Awaitable, Callable

from aiohttp import web

from saccade_server.errors import Code, SaccadeError

_STATUS = {
    Code.INTERNAL: 500,
    Code.NOT_FOUND: 404,
    Code.PERMISSION_DENIED: 403,
    Code.UNAUTHENTICATED: 401,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.UNAVAILABLE: 503,
    Code.DEADLINE_EXCEEDED: 504,
    Code.UNIMPLEMENTED: 501,
}
"""Every other code is 400."""

Handler = Callable[[web.Request], Awaitable[web.Response]]


def credentials(request: web.Request) -> dict[str, str]:
    """The caller's token, where a call by gRPC has it."""
    token = request.headers.get("Authorization")
    return {} if token is None else {"authorization": token}


def safely(handler: Handler) -> Handler:
    """The handler, with errors as the protocols' clients read them."""

    async def answer(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except SaccadeError as error:
            headers = {}
            if error.retry_after_s is not None:
                headers["Retry-After"] = str(math.ceil(error.retry_after_s))
            if error.code is Code.UNAUTHENTICATED:
                headers["WWW-Authenticate"] = "Bearer"
            status = _STATUS.get(error.code, 400)
            return web.json_response({"error": error.message}, status=status, headers=headers)

    return answer
