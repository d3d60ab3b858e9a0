"""The asyncio client. What is sent and how answers are read stands in the modules beside it."""
# `timeout` is a deadline that travels to the server, which asyncio's own would not tell it:
# ruff: noqa: ASYNC109

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import grpc
import grpc.aio

from saccade._endings import StreamEnding
from saccade._errors import ServerError
from saccade._health import HEALTH_CHECK, Health, read_health_answer, write_health_request
from saccade._metadata import CallMetadata
from saccade._models import Model, ModelDetails, read_model_details, read_models
from saccade._options import ClientOptions, check_target
from saccade._requests import PlannedRequest, model_spec, plan_requests
from saccade._results import Answer, ClassifyResult, read_answer
from saccade._retry import Attempts, Deadline
from saccade._status import call_error
from saccade._streams import StreamAnswer, StreamLedger, StreamRequest
from saccade.v1 import classifier_pb2 as pb
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub

if TYPE_CHECKING:
    from saccade._images import ImageInput
    from saccade.v1.classifier_pb2_grpc import ImageClassifierAsyncStub

Response = TypeVar("Response")


class AsyncClient:
    """A connection to a server, for asyncio. Its methods mean what those of `Client` mean.

    Make it inside a coroutine: it belongs to the running event loop, whose tasks may share it.

    Args:
        target: As for `Client`.
        options: None: the defaults.
        channel: Used instead of a connection of our own, and left open by `close`.

    Raises:
        RuntimeError: There is no running event loop.
    """

    def __init__(
        self,
        target: str = "localhost:8500",
        options: ClientOptions | None = None,
        *,
        channel: grpc.aio.Channel | None = None,
    ) -> None:
        # Otherwise gRPC takes some other loop, and fails in riddles later.
        asyncio.get_running_loop()
        self._options = options or ClientOptions()
        self._metadata = CallMetadata(self._options)
        self._owned = channel is None
        self._channel = channel or _open_channel(target, self._options)
        self._stub = cast("ImageClassifierAsyncStub", ImageClassifierStub(self._channel))
        self._check = self._channel.unary_unary(
            HEALTH_CHECK, write_health_request, read_health_answer
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connection and the calls under way. May be called more than once."""
        if self._owned:
            await self._channel.close()

    async def classify(
        self,
        images: "ImageInput | Iterable[ImageInput]",
        *,
        model: str | None = None,
        version: int | None = None,
        label: str | None = None,
        top_k: int | None = None,
        timeout: float | None = None,
        request_id: str | None = None,
    ) -> ClassifyResult:
        """Classifies one image, a list of images, or a batch array (see `Client.classify`)."""
        spec = model_spec(model, version, label)
        planned = plan_requests(images, spec, top_k, request_id, self._options)
        deadline = self._deadline(timeout)
        room = asyncio.Semaphore(self._options.max_concurrent_requests)

        async def classify_in_turn(one: PlannedRequest) -> Answer:
            async with room:
                return await self._classify(one, deadline)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(classify_in_turn(one)) for one in planned]
        except ExceptionGroup as failed:
            first = failed.exceptions[0]
            raise first from first.__cause__
        return ClassifyResult(answers=tuple(task.result() for task in tasks))

    async def classify_stream(
        self,
        requests: AsyncIterable[StreamRequest],
        *,
        timeout: float = math.inf,
        max_in_flight: int = 64,
    ) -> AsyncGenerator[StreamAnswer, None]:
        """Sends many requests over one stream (see `Client.classify_stream`).

        To leave it early, close the iterator (`contextlib.aclosing`).
        """
        ledger, room = StreamLedger(), asyncio.Semaphore(max_in_flight)
        failures: list[Exception] = []

        async def outgoing() -> AsyncIterator[pb.ClassifyRequest]:
            try:
                async for request in requests:
                    await room.acquire()
                    yield await _build(ledger.open(request))
            # Whatever the caller's code raises: gRPC's task would only log it.
            except Exception as error:  # noqa: BLE001
                failures.append(error)

        call = self._stub.ClassifyStream(
            outgoing(), timeout=Deadline(timeout).left_s(), metadata=self._metadata()
        )
        ending = StreamEnding(call)
        try:
            async for response in call:
                room.release()
                yield ledger.settle(response)
        except grpc.RpcError as raised:
            failure = await ending.told(raised)
            if failure.code() is not grpc.StatusCode.OK:
                raise call_error(failure) from raised
        except asyncio.CancelledError:
            _raise_if_closed()
            raise
        finally:
            call.cancel()
        if failures:
            raise failures[0]
        ledger.close()

    async def list_models(self, *, timeout: float | None = None) -> tuple[Model, ...]:
        """All models with their versions, by name."""
        request = pb.ListModelsRequest()
        deadline = self._deadline(timeout)
        return read_models(await self._call(self._stub.ListModels, request, deadline))

    async def get_model(
        self,
        model: str | None = None,
        *,
        version: int | None = None,
        label: str | None = None,
        timeout: float | None = None,
    ) -> ModelDetails:
        """One version in detail (see `Client.get_model`)."""
        request = pb.GetModelRequest(model=model_spec(model, version, label))
        deadline = self._deadline(timeout)
        return read_model_details(await self._call(self._stub.GetModel, request, deadline))

    async def health(self, model: str | None = None, *, timeout: float | None = None) -> Health:
        """Whether the server, or one of its models, answers requests (see `Client.health`)."""
        return await self._call(self._check, model or "", self._deadline(timeout))

    def _deadline(self, timeout: float | None) -> Deadline:
        return Deadline(self._options.timeout_s if timeout is None else timeout)

    async def _classify(self, planned: PlannedRequest, deadline: Deadline) -> Answer:
        request = await _build(planned)
        response = await self._call(self._stub.Classify, request, deadline, planned.request_id)
        return read_answer(response, planned)

    async def _call(
        self,
        method: "grpc.aio.UnaryUnaryMultiCallable[Any, Response]",
        request: object,
        deadline: Deadline,
        request_id: str | None = None,
    ) -> Response:
        attempts = Attempts(self._options.retry, deadline)
        while True:
            try:
                return await method(request, timeout=deadline.left_s(), metadata=self._metadata())
            except grpc.RpcError as failure:
                error = call_error(failure, request_id)
                pause_s = attempts.pause_s(error)
                if pause_s is None:
                    raise error from failure
            except asyncio.CancelledError:
                _raise_if_closed(request_id)
                raise
            await asyncio.sleep(pause_s)


async def _build(planned: PlannedRequest) -> pb.ClassifyRequest:
    return await asyncio.to_thread(planned.build) if planned.on_disk else planned.build()


def _raise_if_closed(request_id: str | None = None) -> None:
    """Tells a client that was closed from a task that was cancelled.

    gRPC raises CancelledError in both cases, and one that nobody asked for would end the caller's
    task without a word.
    """
    task = asyncio.current_task()
    if task is None or not task.cancelling():
        code = grpc.StatusCode.CANCELLED
        raise ServerError("the client was closed", code=code, request_id=request_id) from None


def _open_channel(target: str, options: ClientOptions) -> grpc.aio.Channel:
    check_target(target, options)
    arguments = options.channel_arguments()
    if options.tls is None:
        return grpc.aio.insecure_channel(target, arguments)
    return grpc.aio.secure_channel(target, options.tls.credentials(), arguments)
