"""What a call does where its completions come in an order that callers cannot bring about."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from google.protobuf.wrappers_pb2 import BytesValue

from fixtures.clock import settle
from fixtures.echo import EchoService, make_answerer
from saccade_server.transports.grpcio.rpc import Rpcs, UnaryRpc

CLOSED, MESSAGE = 0, 1
"""The first things that a call of one message has the core do, in their order."""


class FakeCore:
    """The core's side of a call: takes whatever it is to do, and does it when the test says so.

    Attributes:
        started: What is to be called at the end of each thing, and the things.
    """

    def __init__(self) -> None:
        self.started: list[tuple[Callable[[Any], object], Any]] = []

    def start_server_batch(self, operations: Any, done: Callable[[Any], object]) -> int:
        """Takes note."""
        self.started.append((done, operations))
        return 0

    def peer(self) -> bytes:
        """Of the call."""
        return b"ipv4:127.0.0.1:1"

    def complete(self, number: int, **results: Any) -> None:
        """The end of one of the things."""
        operation = SimpleNamespace(
            **{name: lambda value=value: value for name, value in results.items()}
        )
        self.started[number][0](SimpleNamespace(batch_operations=[operation]))


async def test_a_call_that_ends_before_its_handler_begins_is_expected_no_more() -> None:
    """It never begins, and nobody else waits for it."""
    service, answerer, core = EchoService(), make_answerer(), FakeCore()
    say = service.methods()[0]
    rpcs = Rpcs(answerer, 60, asyncio.get_running_loop())
    details = SimpleNamespace(deadline=9e18)
    UnaryRpc(
        rpcs, SimpleNamespace(call=core, call_details=details, invocation_metadata=()), say
    ).open()

    core.complete(MESSAGE, message=BytesValue(value=b"x").SerializeToString())
    assert 1 == answerer.announced.starting
    core.complete(CLOSED, cancelled=True)
    await settle()

    assert ([], 0, True) == (service.calls, answerer.announced.starting, rpcs.none.is_set())
