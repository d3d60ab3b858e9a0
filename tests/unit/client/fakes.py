"""A channel without a network: it answers what the test has laid out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc


class FakeRpcError(grpc.RpcError):
    """A failed call."""

    def __init__(
        self,
        code: grpc.StatusCode,
        text: str = "",
        metadata: Sequence[tuple[str, str | bytes]] | None = None,
    ) -> None:
        super().__init__(text)
        self._status = code, text, metadata

    def code(self) -> grpc.StatusCode:
        return self._status[0]

    def details(self) -> str:
        return self._status[1]

    # The type that grpc's stubs give differs from what both of its stacks return.
    def trailing_metadata(self) -> Sequence[tuple[str, str | bytes]] | None:  # type: ignore[override]
        return self._status[2]


@dataclass
class SentCall:
    """One call as a channel sees it."""

    path: str
    request: Any
    timeout: float | None
    metadata: tuple[tuple[str, str | bytes], ...]


@dataclass
class FakeChannel:
    """Gives its answers out one by one; raises those that are errors."""

    answers: list[Any]
    calls: list[SentCall] = field(default_factory=list)
    closed: bool = False

    def unary_unary(self, path: str, *serializers: object, **more: object) -> Callable[..., Any]:
        def method(
            request: object, *, timeout: float | None, metadata: tuple[tuple[str, str], ...]
        ) -> object:
            self.calls.append(SentCall(path, request, timeout, metadata))
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return method

    # The generated stub asks for it; no unit test calls it.
    stream_stream = unary_unary

    def close(self) -> None:
        self.closed = True
