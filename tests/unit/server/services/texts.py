"""Methods to be called by an answerer, and errors to be made of their troubles."""

from collections.abc import AsyncIterator

from google.protobuf.wrappers_pb2 import StringValue

from saccade_server import errors
from saccade_server.services.call import Call, Method

SECRET = "the password is swordfish"

OURS = [
    errors.InvalidArgument("this"),
    errors.NotFound("that"),
    errors.Overloaded("much", retry_after_s=1.5),
    errors.DeadlineExceeded("late"),
    errors.Unavailable("not now"),
    errors.Unauthenticated("who?"),
    errors.PermissionDenied("no"),
    errors.Unimplemented("never"),
]


def upper(error: BaseException | None = None) -> Method:
    """A method that gives a text back in capitals, or fails."""

    async def handle(request: StringValue, call: Call) -> StringValue:
        call.model = "digits"
        if error is not None:
            raise error
        return StringValue(value=request.value.upper())

    return Method(api="test", path="/test.Texts/Upper", request=StringValue, unary=handle)


def upper_each(error: BaseException | None = None) -> Method:
    """A method that gives each text back in capitals, and may fail after the last."""

    async def handle(
        requests: AsyncIterator[StringValue], call: Call
    ) -> AsyncIterator[StringValue]:
        call.model = "digits"
        async for request in requests:
            yield StringValue(value=request.value.upper())
        if error is not None:
            raise error

    return Method(
        api="test",
        path="/test.Texts/UpperEach",
        request=StringValue,
        stream=handle,
        streams_requests=True,
    )


async def messages(*texts: str) -> AsyncIterator[bytes]:
    """Requests as they come from a transport."""
    for text in texts:
        yield StringValue(value=text).SerializeToString()
