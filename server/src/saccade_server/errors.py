"""The errors of the server and the codes that callers see for them.

    SaccadeError            carries a code and a text that is safe to show
    ├── InvalidArgument     the request, or one image of it, is wrong
    ├── NotFound            no such model, version or label
    ├── FailedPrecondition  what is asked for cannot be done in the present state
    ├── Overloaded          refused now; `retry_after_s` says when to come back
    ├── DeadlineExceeded    the caller's deadline passed before compute was spent
    ├── Unavailable         loading or draining; another replica may answer
    ├── Unauthenticated     no or wrong credentials
    ├── PermissionDenied    right credentials, not allowed
    └── Unimplemented       a method, or a use of it, that this server does not offer
    ConfigError             wrong settings; the process does not start
    ArtifactError           a version's folder is incomplete or wrong; it does not serve
    └── IncompleteArtifact  something is missing yet, as in the middle of a copy
    EngineError             an engine failed to load or to run a graph

Whatever is not a SaccadeError reaches the caller as INTERNAL, "internal error", with the request
id; the details go to the log (see `services.endpoint`).
"""

import enum
from typing import ClassVar


class Code(enum.IntEnum):
    """Status codes of gRPC, as in google.rpc.Code."""

    OK = 0
    CANCELLED = 1
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


MAX_TEXT = 4096
"""Characters of an error's text; it may quote what the caller sent."""


class SaccadeError(Exception):
    """An error that callers see.

    Args:
        message: Says what is wrong and what to do. Must not hold secrets or details of ours. Cut
            where it is longer than MAX_TEXT.
        retry_after_s: Seconds after which a retry makes sense; None where it never does.
    """

    code: ClassVar[Code] = Code.INTERNAL

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        if len(message) > MAX_TEXT:
            message = message[: MAX_TEXT - 3] + "..."
        super().__init__(message)
        self.message = message
        self.retry_after_s = retry_after_s


class InvalidArgument(SaccadeError):
    """The request, or one image of it, is wrong; a retry would fail again."""

    code = Code.INVALID_ARGUMENT


class NotFound(SaccadeError):
    """No such model, version or label."""

    code = Code.NOT_FOUND


class FailedPrecondition(SaccadeError):
    """What is asked for cannot be done in the present state; a retry would fail again."""

    code = Code.FAILED_PRECONDITION


class Overloaded(SaccadeError):
    """Refused at the door; nothing was computed."""

    code = Code.RESOURCE_EXHAUSTED


class DeadlineExceeded(SaccadeError):
    """The deadline passed while the request was queued; nothing was computed."""

    code = Code.DEADLINE_EXCEEDED


class Unavailable(SaccadeError):
    """Loading or draining; another replica may answer."""

    code = Code.UNAVAILABLE


class Unauthenticated(SaccadeError):
    """No credentials, or wrong ones."""

    code = Code.UNAUTHENTICATED


class PermissionDenied(SaccadeError):
    """The credentials are right but do not allow this method."""

    code = Code.PERMISSION_DENIED


class Unimplemented(SaccadeError):
    """A method, or a use of it, that this server does not offer."""

    code = Code.UNIMPLEMENTED


class ConfigError(Exception):
    """Wrong settings; the text names the flag."""


class ArtifactError(Exception):
    """A version's folder is incomplete or wrong; the text says which file and why."""


class IncompleteArtifact(ArtifactError):
    """A version's folder is not whole; as it may be in the middle of a copy, it is worth a wait."""


class EngineError(Exception):
    """An engine could not load or run a graph."""
