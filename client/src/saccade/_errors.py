"""The errors of the client.

    SaccadeError            what this library raises on purpose
    ├── InputError          an argument or a file is wrong; nothing was sent (also a ValueError)
    ├── ImagesFailed        raised by `raise_for_errors`: some images have no prediction
    ├── InvalidArgument     the server finds the request wrong; a retry would fail again
    ├── NotFound            no such model, version or label
    ├── Overloaded          refused; `retry_after_s` says when to come back, None: do not
    ├── DeadlineExceeded    the timeout passed before the answer came
    ├── Unavailable         not reachable, loading or draining; another attempt may succeed
    ├── Unauthenticated     no credentials, or wrong ones
    ├── PermissionDenied    right credentials, not allowed
    └── ServerError         everything else; `code` says what

An image that the server cannot classify is no exception but a value in the result, an
`ImageError` (see `_results`).
"""

from typing import TYPE_CHECKING

import grpc

if TYPE_CHECKING:
    from saccade._results import ImageError


class SaccadeError(Exception):
    """What this library raises on purpose.

    Attributes:
        message: For a person.
        code: The status of the call; None where no call was made.
        request_id: What the server's log knows the request by; None where it has none.
        retry_after_s: Seconds after which a retry makes sense; None where the server named none.
    """

    def __init__(
        self,
        message: str,
        *,
        code: grpc.StatusCode | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.request_id = request_id
        self.retry_after_s = retry_after_s


class InputError(SaccadeError, ValueError):
    """An argument or a file is wrong; nothing was sent."""


class ImagesFailed(SaccadeError):
    """Some images have no prediction.

    Attributes:
        errors: One for each failed image, in the order of the images.
    """

    def __init__(self, errors: "tuple[ImageError, ...]") -> None:
        first = errors[0]
        super().__init__(f"{len(errors)} image(s) failed; image {first.index}: {first.message}")
        self.errors = errors

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.errors,)


class InvalidArgument(SaccadeError):
    """The server finds the request wrong; a retry would fail again."""


class NotFound(SaccadeError):
    """No such model, version or label."""


class Overloaded(SaccadeError):
    """Refused by the server, or by a limit on the way.

    Without `retry_after_s` the refusal is for good: the message is larger than one of the two
    sides allows.
    """


class DeadlineExceeded(SaccadeError):
    """The timeout passed before the answer came."""


class Unavailable(SaccadeError):
    """Not reachable, loading or draining; another attempt may succeed."""


class Unauthenticated(SaccadeError):
    """No credentials, or wrong ones."""


class PermissionDenied(SaccadeError):
    """The credentials are right but do not allow this method."""


class ServerError(SaccadeError):
    """Everything else: a fault of the server, or a server that does not speak this API."""
