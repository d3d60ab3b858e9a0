"""One call, from its headers to the status of its answer."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from typing import Any

from saccade_server.errors import SaccadeError, Unimplemented
from saccade_server.services.answer import Answerer
from saccade_server.services.call import Call, Method
from saccade_server.transports.grpcio.core import core
from saccade_server.transports.handling import answer_one, answer_stream
from saccade_server.transports.limits import too_slow
from saccade_server.transports.status import DETAILS, short_text, status_details

_NEVER = 1e12
"""Deadlines later than that, in seconds since 1970, are none."""

_NO_MESSAGE = "this method takes one message, none was sent"

# They hold nothing of a call: one of each does for all.
_OK = core.SendStatusFromServerOperation((), core.StatusCode.ok, b"", 0)
_HEADERS = core.SendInitialMetadataOperation((), 0)


class Rpcs:
    """What the calls of a server have in common; counts those whose handlers have begun.

    Args:
        answerer: What answers.
        receive_s: For a request to come whole.
        loop: Runs the handlers.

    Attributes:
        none: Set while none is under way.
    """

    def __init__(
        self, answerer: Answerer, receive_s: float, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.answerer = answerer
        self.receive_s = receive_s
        self.loop = loop
        self.none = asyncio.Event()
        self.none.set()
        self._count = 0

    def enter(self) -> None:
        """A handler begins."""
        self._count += 1
        self.none.clear()

    def leave(self, _: object = None) -> None:
        """A call is over whose handler had begun, and its handler too."""
        self._count -= 1
        if not self._count:
            self.none.set()


class Rpc:
    """A call, and the task that answers it. An `Exchange`.

    Args:
        rpcs: It is one of them.
        event: The core's, by which it comes.
    """

    def __init__(self, rpcs: Rpcs, event: Any) -> None:
        self._rpcs = rpcs
        self._core = event.call
        self._decided = False  # Its status is sent, or has come from the other side.
        self._begun = False  # Its headers are sent.
        self._counted = False
        self._task: asyncio.Task[None] | None = None
        self._start(self._on_close, core.ReceiveCloseOnServerOperation(0))

    @property
    def over(self) -> bool:
        """See `Exchange`."""
        return self._decided

    def begin(self) -> None:
        """See `Exchange`."""

    def take_over(self) -> None:
        """See `Exchange`."""

    def reply(self, answer: bytes) -> None:
        """See `Exchange`."""
        self._end(core.SendMessageOperation(answer, 0), _OK)

    def refuse(self, error: SaccadeError) -> None:
        """See `Exchange`."""
        details = status_details(error)
        trailers = ((DETAILS, details),) if details else ()
        text = short_text(error.message).encode("utf-8", "replace")
        self._end(core.SendStatusFromServerOperation(trailers, int(error.code), text, 0))

    def finish(self) -> None:
        """See `Exchange`."""
        self._end(_OK)

    async def send(self, answer: bytes) -> None:
        """See `Exchange`."""
        sent = self._rpcs.loop.create_future()
        message = core.SendMessageOperation(answer, 0)
        if self._begun:
            self._start(partial(_settle, sent), message)
        else:
            self._begun = True
            self._start(partial(_settle, sent), _HEADERS, message)
        await sent

    async def read(self) -> bytes | None:
        """The next message; None: there are no more, or the call is over."""
        received = self._rpcs.loop.create_future()
        self._start(partial(_settle, received), core.ReceiveMessageOperation(0))
        (operation,) = await received
        message: bytes | None = operation.message()
        return message

    def _run(self, handling: Coroutine[Any, Any, None]) -> None:
        """Has a handler answer it."""
        self._rpcs.enter()
        self._counted = True
        self._task = self._rpcs.loop.create_task(handling)

    def _end(self, *operations: Any) -> None:
        """The last words."""
        if not self._decided:
            self._decided = True
            self._start(_ignore, *(operations if self._begun else (_HEADERS, *operations)))

    def _start(self, done: Callable[[Any], object], *operations: Any) -> None:
        """Has the core do something, and call `done` with the completion.

        Raises:
            RuntimeError: It cannot be done now, and never will.
        """
        if error := self._core.start_server_batch(operations, done):
            raise RuntimeError(f"gRPC does not take {operations}: error {error}")

    def _on_close(self, event: Any) -> None:
        """The call is over, for whatever reason."""
        self._decided = True
        task, self._task = self._task, None
        if task is not None and not task.done() and event.batch_operations[0].cancelled():
            task.add_done_callback(self._rpcs.leave)
            task.cancel()
        elif self._counted:
            self._rpcs.leave()


class UnaryRpc(Rpc):
    """A call of one message and one answer.

    Args:
        rpcs: It is one of them.
        event: The core's, by which it comes.
        method: What is called.
    """

    def __init__(self, rpcs: Rpcs, event: Any, method: Method) -> None:
        super().__init__(rpcs, event)
        self._method = method
        self._call = make_call(event)
        self._come: Callable[[], object] | None = None
        self._announced = 0
        self._starting = False
        self._timer: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Waits for the message, or refuses the call without."""
        answerer, method, call = self._rpcs.answerer, self._method, self._call
        # Under overload most are refused, and to read what is refused costs what others need.
        if refusal := answerer.turn_away(method, call.metadata, call.peer):
            self.refuse(refusal)
            return
        try:
            self._come = answerer.preview(method, b"", call)
        except SaccadeError as error:
            self.refuse(error)
            return
        self._announced = answerer.announced.begin()
        self._timer = self._rpcs.loop.call_later(self._rpcs.receive_s, self._give_up)
        self._start(self._on_message, core.ReceiveMessageOperation(0))

    def begin(self) -> None:
        """See `Exchange`."""
        if self._starting:
            self._starting = False
            self._rpcs.answerer.announced.starting -= 1

    def _on_message(self, event: Any) -> None:
        """The message has come, or never will."""
        announced = self._rpcs.answerer.announced
        announced.end(self._announced)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._come is not None:
            self._come()
            self._come = None
        if self.over:
            return
        data = event.batch_operations[0].message()
        if data is None:
            self.refuse(Unimplemented(_NO_MESSAGE))
            return
        self._starting = True
        announced.starting += 1
        self._run(answer_one(self, self._rpcs.answerer, self._method, self._call, data))

    def _give_up(self) -> None:
        self._timer = None
        self.refuse(too_slow(self._rpcs.receive_s))

    def _on_close(self, event: Any) -> None:
        self.begin()
        super()._on_close(event)


class StreamRpc(Rpc):
    """A call whose answers are streamed, and perhaps its requests.

    Args:
        rpcs: It is one of them.
        event: The core's, by which it comes.
        method: What is called.
    """

    def __init__(self, rpcs: Rpcs, event: Any, method: Method) -> None:
        super().__init__(rpcs, event)
        self._method = method
        self._call = make_call(event)

    def open(self) -> None:
        """Has its handler begin, which reads messages as it needs them."""
        rpcs, method = self._rpcs, self._method
        messages = (
            _Messages(self) if method.streams_requests else _OnlyMessage(self, rpcs.receive_s)
        )
        self._run(answer_stream(self, rpcs.answerer, method, self._call, messages))


class _Messages(AsyncIterator[bytes]):
    """The messages of a caller that streams, up to its end.

    To the core they end the same way where the caller goes, which it tells apart from that, and not
    always before. It does so before it answers one more read, though.
    """

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    async def __anext__(self) -> bytes:
        message = await self._rpc.read()
        if message is None:
            await self._rpc.read()
            raise StopAsyncIteration
        return message


class _OnlyMessage(AsyncIterator[bytes]):
    """The message of a caller that sends one."""

    def __init__(self, rpc: Rpc, receive_s: float) -> None:
        self._rpc: Rpc | None = rpc
        self._receive_s = receive_s

    async def __anext__(self) -> bytes:
        rpc, self._rpc = self._rpc, None
        if rpc is None:
            raise StopAsyncIteration
        try:
            async with asyncio.timeout(self._receive_s):
                message = await rpc.read()
        except TimeoutError:
            raise too_slow(self._receive_s) from None
        if message is None:
            raise Unimplemented(_NO_MESSAGE)
        return message


def make_call(event: Any) -> Call:
    """What a handler knows of the call that an event brings."""
    deadline: float = event.call_details.deadline
    return Call(
        deadline=None if deadline > _NEVER else time.monotonic() + deadline - time.time(),
        metadata=_metadata(event.invocation_metadata),
        peer=event.call.peer().decode("utf-8", "replace"),
    )


def _metadata(pairs: tuple[tuple[str, str | bytes], ...]) -> dict[str, str]:
    """Text only; the values of a name that comes twice joined (RFC 9110, section 5.2)."""
    metadata: dict[str, str] = {}
    for name, value in pairs:
        if isinstance(value, str):
            metadata[name] = f"{metadata[name]}, {value}" if name in metadata else value
    return metadata


def _settle(future: "asyncio.Future[Any]", event: Any) -> None:
    """Tells who waits for a completion, unless nobody does any more."""
    if not future.done():
        future.set_result(event.batch_operations)


def _ignore(_: object) -> None:
    """For completions after which nothing is to be done."""
