"""Errors of the APIs over HTTP: a status, and JSON that says what is wrong."""

import math
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from saccade_server.errors import Code, InvalidArgument, Overloaded, SaccadeError
from saccade_server.services.call import REQUEST_ID, STICKY_KEY, Call
from saccade_server.services.compression import ACCEPTED, decompress
from saccade_server.services.failures import failure
from saccade_server.tracing import TRACE_PARENT, TRACE_STATE

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

_METADATA = ("authorization", REQUEST_ID, STICKY_KEY, TRACE_PARENT, TRACE_STATE)
"""Headers that handlers may see."""

CLIENT_HEADER = web.AppKey("CLIENT_HEADER", str)
"""One more of them: the one that names the client; empty: none does."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class BodyTooLarge(Overloaded):
    """More bytes than a request may have; no retry would help."""


def metadata(request: web.Request) -> dict[str, str]:
    """The headers that a call by gRPC has as metadata; nothing in the address counts as such."""
    headers, client = request.headers, request.app.get(CLIENT_HEADER, "")
    keys = (*_METADATA, client) if client else _METADATA
    return {key: ", ".join(headers.getall(key)) for key in keys if key in headers}


async def read_body(request: web.Request) -> bytes:
    """The body of a request, unpacked.

    Raises:
        BodyTooLarge: It has more bytes than a request may have.
        InvalidArgument: It ends early, or is not compressed as the headers say.
    """
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise BodyTooLarge(error.text or "the body is too large") from None
    except web.RequestPayloadError:
        raise InvalidArgument("the body is cut off") from None
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding not in ACCEPTED:
        raise InvalidArgument(f"Content-Encoding must be one of {', '.join(ACCEPTED)}")
    if encoding == "identity":
        return body
    try:
        return await decompress(body, encoding, request.client_max_size)
    except Overloaded as error:
        raise BodyTooLarge(error.message) from None
    except SaccadeError:
        raise InvalidArgument("the body is not compressed as the headers say") from None


def safely(handler: Handler) -> Handler:
    """The handler, with errors as the protocols' clients read them."""

    async def answer(request: web.Request) -> web.StreamResponse:
        started = time.perf_counter()
        try:
            return await handler(request)
        except SaccadeError as error:
            return _refusal(error)
        except web.HTTPException:
            raise
        except Exception as error:  # noqa: BLE001 - an edge: no bug may tell callers of itself
            call = Call(metadata=metadata(request), peer=request.remote or "")
            return _refusal(failure(error, request.path, call, time.perf_counter() - started))

    return answer


def _refusal(error: SaccadeError) -> web.Response:
    headers = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after_s))
    if error.code is Code.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = "Bearer"
    status = 413 if isinstance(error, BodyTooLarge) else _STATUS.get(error.code, 400)
    return web.json_response({"error": error.message}, status=status, headers=headers)
