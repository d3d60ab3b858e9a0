"""A server, and both clients behind one face."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

import saccade
from integration.client.servers import EchoClassifier, serve
from saccade import ClassifyResult, ClientOptions, Health, Model, ModelDetails


class InThread:
    """The blocking client, called from a thread so that the loop goes on."""

    def __init__(self, client: saccade.Client) -> None:
        self._client = client

    async def classify(self, images: Any, **arguments: Any) -> ClassifyResult:
        return await asyncio.to_thread(self._client.classify, images, **arguments)

    async def list_models(self, **arguments: Any) -> tuple[Model, ...]:
        return await asyncio.to_thread(self._client.list_models, **arguments)

    async def get_model(self, model: str | None = None, **arguments: Any) -> ModelDetails:
        return await asyncio.to_thread(self._client.get_model, model, **arguments)

    async def health(self, model: str | None = None, **arguments: Any) -> Health:
        return await asyncio.to_thread(self._client.health, model, **arguments)

    async def close(self) -> None:
        await asyncio.to_thread(self._client.close)


# What the tests are written against.
Asking = InThread | saccade.AsyncClient
Connect = Callable[..., Asking]


@pytest.fixture
def classifier() -> EchoClassifier:
    """What the server runs."""
    return EchoClassifier()


@pytest.fixture
def server(classifier: EchoClassifier) -> Iterator[str]:
    """The server's address."""
    with serve(classifier) as address:
        yield address


@pytest.fixture(params=["sync", "async"])
async def connect(request: pytest.FixtureRequest) -> AsyncIterator[Connect]:
    """Makes clients of one kind, then of the other; closes them."""
    async with AsyncExitStack() as stack:

        def connect(target: str, options: ClientOptions | None = None) -> Asking:
            if request.param == "sync":
                client = saccade.Client(target, options)
                stack.callback(client.close)
                return InThread(client)
            asking = saccade.AsyncClient(target, options)
            stack.push_async_callback(asking.close)
            return asking

        yield connect


# Asynchronous because an AsyncClient belongs to the running loop.
@pytest.fixture
async def asking(connect: Connect, server: str) -> Asking:
    """A client of the server, with the default options."""
    return connect(server)
