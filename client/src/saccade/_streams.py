"""What goes into and comes out of `classify_stream`, and which answer belongs to which request."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import grpc

from saccade._errors import InputError, SaccadeError, ServerError
from saccade._images import prepare_images
from saccade._requests import PlannedRequest, model_spec, new_request_id, request_head
from saccade._results import ClassifyResult, read_answer
from saccade._status import answer_error
from saccade.v1 import classifier_pb2 as pb

if TYPE_CHECKING:
    from saccade._images import ImageInput


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRequest:
    """One request of a stream. The arguments are those of `classify`; it is never split.

    Attributes:
        request_id: Unique among the requests under way; made up unless given.
    """

    images: "ImageInput | Iterable[ImageInput]"
    model: str | None = None
    version: int | None = None
    label: str | None = None
    top_k: int | None = None
    request_id: str = field(default_factory=new_request_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamAnswer:
    """What became of one request of a stream."""

    request: StreamRequest
    outcome: ClassifyResult | SaccadeError

    def result(self) -> ClassifyResult:
        """The result.

        Raises:
            SaccadeError: The request as a whole failed.
        """
        if isinstance(self.outcome, SaccadeError):
            raise self.outcome
        return self.outcome


class StreamLedger:
    """The requests of one stream that have no answer yet.

    One thread may open requests while another settles them.
    """

    def __init__(self) -> None:
        self._open: dict[str, tuple[StreamRequest, PlannedRequest]] = {}

    def open(self, request: StreamRequest) -> PlannedRequest:
        """Notes down a request that is about to be sent.

        Raises:
            InputError: It is wrong, or its id is in use.
        """
        if request.request_id in self._open:
            raise InputError(f"request_id {request.request_id!r} is still under way")
        model = model_spec(request.model, request.version, request.label)
        head = request_head(model, request.top_k, request.request_id)
        planned = PlannedRequest(head=head, images=tuple(prepare_images(request.images)))
        self._open[request.request_id] = request, planned
        return planned

    def settle(self, response: pb.ClassifyStreamResponse) -> StreamAnswer:
        """Finds the request that `response` answers.

        Raises:
            ServerError: There is none.
        """
        request, planned = self._open.pop(response.request_id, (None, None))
        if request is None or planned is None:
            raise _fault(f"the server answered {response.request_id!r}, which is not under way")
        outcome: ClassifyResult | SaccadeError
        if response.HasField("response"):
            try:
                outcome = ClassifyResult(answers=(read_answer(response.response, planned),))
            except ServerError as error:
                outcome = error
        else:
            outcome = answer_error(response.error, response.request_id)
        return StreamAnswer(request=request, outcome=outcome)

    def close(self) -> None:
        """Checks that nothing is missing at the stream's end.

        Raises:
            ServerError: The server ended the stream too early.
        """
        if self._open:
            raise _fault(f"the server ended the stream and left {len(self._open)} unanswered")


def _fault(message: str) -> ServerError:
    return ServerError(message, code=grpc.StatusCode.INTERNAL)
