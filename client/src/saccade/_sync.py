"""The blocking client. What is sent and how answers are read stands in the modules beside it."""

import math
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextvars import copy_context
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import grpc

from saccade._flight import Flight
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

Response = TypeVar("Response")


class Client:
    """A connection to a server, for code that waits.

    Threads may share it, and should: connecting is the slow part. It must not be carried over a
    fork.

    Args:
        target: "host:port", or anything else that gRPC takes: "dns:///…", "unix:…", "ipv4:…".
            Calls are spread over all addresses of a name. Nothing is sent before the first call.
        options: None: the defaults.
        channel: Used instead of a connection of our own, and left open by `close`. Whether it
            encrypts what the options send over it, a token too, is for its maker to know.
    """

    def __init__(
        self,
        target: str = "localhost:8500",
        options: ClientOptions | None = None,
        *,
        channel: grpc.Channel | None = None,
    ) -> None:
        self._options = options or ClientOptions()
        self._metadata = CallMetadata(self._options)
        self._owned = channel is None
        self._closed = False
        self._channel = channel or _open_channel(target, self._options)
        self._stub = ImageClassifierStub(self._channel)
        self._check = self._channel.unary_unary(
            HEALTH_CHECK, write_health_request, read_health_answer
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection and the calls under way. May be called more than once."""
        self._closed = True
        if self._owned:
            self._channel.close()

    def classify(
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
        """Classifies one image, a list of images, or a batch array.

        Args:
            images: Each a path; the bytes of an image file; a uint8 array of shape (H, W) or
                (H, W, 1 | 3 | 4), 0 (dark) to 255, channels as in RGBA; or a Pillow image. A batch
                array has the shape (N, H, W, C). They must not change before the answer.
            model: None: the only model that the server has.
            version: None, with no label: the default version.
            label: A movable name of a version, such as "stable".
            top_k: How many classes for each image, best first. None: 5.
            timeout: Seconds for everything. None: as the options say; `math.inf`: no limit.
            request_id: Up to 128 bytes, to be found in the server's log. None: made up.

        Raises:
            InputError: An image or argument is wrong; nothing was sent.
            SaccadeError: The call failed, as the tree of errors says.
        """
        spec = model_spec(model, version, label)
        planned = plan_requests(images, spec, top_k, request_id, self._options)
        deadline = self._deadline(timeout)
        if len(planned) == 1:
            answers = [self._classify(planned[0], deadline)]
        else:
            answers = self._classify_together(planned, deadline)
        return ClassifyResult(answers=tuple(answers))

    def classify_stream(
        self,
        requests: Iterable[StreamRequest],
        *,
        timeout: float = math.inf,
        max_in_flight: int = 64,
    ) -> Generator[StreamAnswer, None, None]:
        """Sends many requests over one stream; answers come as they are ready, not in order.

        A request that fails is answered with its error and the stream goes on. If `requests`
        raises, or holds a wrong image, what was sent is answered first; then it is raised here.

        Args:
            requests: Iterated in a thread of its own, as answers make room.
            timeout: Seconds for the whole stream.
            max_in_flight: Requests without an answer at most; bounds what the server queues.

        Raises:
            SaccadeError: The stream as a whole failed. It is not retried.
        """
        ledger, room, ended = StreamLedger(), threading.Semaphore(max_in_flight), threading.Event()
        failures: list[Exception] = []

        def outgoing() -> Iterator[pb.ClassifyRequest]:
            try:
                for request in requests:
                    room.acquire()
                    if ended.is_set():
                        return
                    yield ledger.open(request).build()
            # Whatever the caller's code raises: gRPC's thread would only log it.
            except Exception as error:  # noqa: BLE001
                failures.append(error)

        call = self._stub.ClassifyStream(
            outgoing(), timeout=Deadline(timeout).left_s(), metadata=self._metadata()
        )
        try:
            for response in call:
                room.release()
                yield ledger.settle(response)
        except grpc.RpcError as failure:
            raise call_error(failure) from failure
        finally:
            call.cancel()
            # Lets the other thread go, should it wait for room.
            ended.set()
            room.release()
        if failures:
            raise failures[0]
        ledger.close()

    def list_models(self, *, timeout: float | None = None) -> tuple[Model, ...]:
        """All models with their versions, by name."""
        request = pb.ListModelsRequest()
        return read_models(self._call(self._stub.ListModels, request, self._deadline(timeout)))

    def get_model(
        self,
        model: str | None = None,
        *,
        version: int | None = None,
        label: str | None = None,
        timeout: float | None = None,
    ) -> ModelDetails:
        """One version in detail, chosen as in `classify`.

        Raises:
            NotFound: There is no such model, version or label.
        """
        request = pb.GetModelRequest(model=model_spec(model, version, label))
        return read_model_details(self._call(self._stub.GetModel, request, self._deadline(timeout)))

    def health(self, model: str | None = None, *, timeout: float | None = None) -> Health:
        """Whether the server, or one of its models, answers requests.

        Raises:
            NotFound: There is no such model.
        """
        return self._call(self._check, model or "", self._deadline(timeout))

    def _deadline(self, timeout: float | None) -> Deadline:
        return Deadline(self._options.timeout_s if timeout is None else timeout)

    def _classify_together(self, planned: list[PlannedRequest], deadline: Deadline) -> list[Answer]:
        flight = Flight()
        with ThreadPoolExecutor(
            min(len(planned), self._options.max_concurrent_requests), "saccade-classify"
        ) as pool:
            # In the caller's context: the span that is current there is theirs too.
            futures = [
                pool.submit(copy_context().run, self._classify, one, deadline, flight)
                for one in planned
            ]
            try:
                for future in wait(futures, return_when=FIRST_EXCEPTION).done:
                    future.result()
            finally:
                # Of use after a failure or Ctrl-C: whatever else is under way would be for nothing.
                flight.end()
                pool.shutdown(wait=False, cancel_futures=True)
        return [future.result() for future in futures]

    def _classify(
        self, planned: PlannedRequest, deadline: Deadline, flight: Flight | None = None
    ) -> Answer:
        request = planned.build()
        response = self._call(self._stub.Classify, request, deadline, planned.request_id, flight)
        return read_answer(response, planned)

    def _call(
        self,
        method: "grpc.UnaryUnaryMultiCallable[Any, Response]",
        request: object,
        deadline: Deadline,
        request_id: str | None = None,
        flight: Flight | None = None,
    ) -> Response:
        attempts = Attempts(self._options.retry, deadline)
        send: Callable[..., Response] = flight.sender(method) if flight else method
        pause = flight.pause if flight else time.sleep
        while True:
            try:
                return send(request, timeout=deadline.left_s(), metadata=self._metadata())
            except grpc.RpcError as failure:
                error = call_error(failure, request_id)
                # A call that our own end has cancelled is not made again.
                pause_s = None if self._closed else attempts.pause_s(error)
                if pause_s is None:
                    raise error from failure
            pause(pause_s)


def _open_channel(target: str, options: ClientOptions) -> grpc.Channel:
    check_target(target, options)
    arguments = options.channel_arguments()
    if options.tls is None:
        return grpc.insecure_channel(target, arguments)
    return grpc.secure_channel(target, options.tls.credentials(), arguments)
