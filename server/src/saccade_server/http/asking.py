"""Asking the handlers of the gRPC methods what came over HTTP."""

from typing import Any

from aiohttp import web

from saccade_server.http.errors import metadata
from saccade_server.services.answer import Answerer, Reader
from saccade_server.services.call import Call, Method


class Asker:
    """Makes calls of requests.

    Args:
        methods: That can be called; their names differ.
        answerer: What answers them.
    """

    def __init__(self, methods: list[Method], answerer: Answerer) -> None:
        self._methods = {method.name: method for method in methods}
        self._answerer = answerer

    async def ask(self, name: str, message: Any, request: web.Request) -> Any:
        """The answer to a message that needs nothing of the body; raises as `Answerer.message`."""

        async def given(_: Call) -> Any:
            return message

        return await self.answer(name, given, request)

    async def answer(self, name: str, read: Reader, request: web.Request) -> Any:
        """The answer to the message that `read` makes once the caller is known to be allowed."""
        call = Call(metadata=metadata(request), peer=request.remote or "")
        return await self._answerer.message(self._methods[name], read, call)
