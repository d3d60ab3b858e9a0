"""The head of a request: what its headers say, checked (RFC 9113, section 8; gRPC over HTTP/2)."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from saccade_server.errors import InvalidArgument, SaccadeError, Unimplemented
from saccade_server.services.call import Method
from saccade_server.services.compression import ACCEPTED
from saccade_server.transports.http2.hpack import Field

_PSEUDO = frozenset((":method", ":scheme", ":path", ":authority"))
_NAME = re.compile(r"[a-z0-9!#$%&'*+\-.^_`|~]+")
_OF_THE_TRANSPORT = frozenset(
    (
        "te",
        "content-type",
        "content-length",
        "grpc-timeout",
        "grpc-encoding",
        "grpc-accept-encoding",
        "accept-encoding",
        "host",
    )
)
"""Not metadata: handlers never see them."""

_USUAL = frozenset(("user-agent", "authorization"))
"""Metadata whose names need no second look."""

_OF_A_CONNECTION = frozenset(
    ("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade")
)
"""HTTP/1.1's; HTTP/2 forbids them."""

_NOTHING: Mapping[str, str] = MappingProxyType({})

_TIMEOUT = re.compile(r"([0-9]{1,8})([HMSmun])")
_SECONDS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}


class MalformedRequest(Exception):
    """Not a request of HTTP/2; its stream is reset."""


class RequestHead(NamedTuple):
    """What the headers of a request say. Shared by all requests with the same headers.

    A tuple, because callers whose headers differ in each call have one made for each.

    Attributes:
        method: What is called; None where nothing can be: see the next two.
        http_status: 200, or what a caller that speaks no gRPC gets instead of an answer.
        refusal: What a gRPC caller gets instead of an answer.
        metadata: Text only; the values of a name that comes twice joined (RFC 9110, section 5.2).
        timeout_s: Until the deadline.
        encoding: Of compressed messages, "identity" for none.
        content_length: Of the body, where the caller says it.
    """

    method: Method | None = None
    http_status: int = 200
    refusal: SaccadeError | None = None
    metadata: Mapping[str, str] = _NOTHING
    timeout_s: float | None = None
    encoding: str = "identity"
    content_length: int | None = None


def read_head(fields: Sequence[Field], methods: Mapping[str, Method]) -> RequestHead:
    """Reads the headers that open a stream.

    Raises:
        MalformedRequest: They break the rules of HTTP/2.
    """
    pseudo, regular, metadata = _split(fields)
    method = pseudo.get(":method")
    if method != "POST" and method is not None:
        return RequestHead(http_status=405)
    path = pseudo.get(":path")
    if not (method and path and pseudo.get(":scheme")):
        raise MalformedRequest("it lacks :method, :scheme or :path")
    if not _is_grpc(regular.get("content-type", "")):
        return RequestHead(http_status=415)
    length = _content_length(regular.get("content-length"))
    try:
        return RequestHead(
            method=_method(path, methods),
            metadata=MappingProxyType(metadata),
            timeout_s=_timeout_s(regular.get("grpc-timeout")),
            encoding=_encoding(regular.get("grpc-encoding", "identity")),
            content_length=length,
        )
    except SaccadeError as error:
        return RequestHead(refusal=error)


def read_trailers(fields: Sequence[Field]) -> None:
    """Checks the headers that close a request; gRPC puts nothing there.

    Raises:
        MalformedRequest: They break the rules of HTTP/2.
    """
    if _split(fields)[0]:
        raise MalformedRequest("pseudo-headers among the trailers")


def _split(
    fields: Sequence[Field],
) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Pseudo-headers, the transport's own headers, and metadata."""
    pseudo: dict[str, str] = {}
    regular: dict[str, str] = {}
    metadata: dict[str, str] = {}
    for name, value in fields:
        if name in _OF_THE_TRANSPORT:
            regular[name] = value
        elif name in metadata:
            metadata[name] += f", {value}"
        elif name in _USUAL:
            metadata[name] = value
        elif name[:1] == ":":
            if regular or metadata or name in pseudo or name not in _PSEUDO:
                raise MalformedRequest("an unknown, repeated or late pseudo-header")
            pseudo[name] = value
        elif not _NAME.fullmatch(name) or name in _OF_A_CONNECTION:
            raise MalformedRequest("a name that HTTP/2 does not allow")
        else:
            metadata[name] = value
    # One look at all values instead of one at each.
    text = "".join([value for _, value in fields])
    if "\r" in text or "\n" in text or "\0" in text:
        raise MalformedRequest("a value that HTTP/2 does not allow")
    if regular.get("te", "trailers") != "trailers":
        raise MalformedRequest("te is not trailers")
    # Binary values are not text, in whatever way their base64 is padded.
    for name in [name for name in metadata if name.endswith("-bin")]:
        del metadata[name]
    return pseudo, regular, metadata


def _is_grpc(content_type: str) -> bool:
    return content_type.startswith("application/grpc") and content_type[16:17] in ("", "+", ";")


def _content_length(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        raise MalformedRequest("content-length is no number")
    return int(text)


def _method(path: str, methods: Mapping[str, Method]) -> Method:
    method = methods.get(path)
    if method is None:
        raise Unimplemented("this server has no such method")
    return method


def _timeout_s(text: str | None) -> float | None:
    if text is None:
        return None
    found = _TIMEOUT.fullmatch(text)
    if not found:
        raise InvalidArgument("grpc-timeout must be 1 to 8 digits and one of H, M, S, m, u, n")
    return int(found[1]) * _SECONDS[found[2]]


def _encoding(name: str) -> str:
    if name not in ACCEPTED:
        raise Unimplemented(f"grpc-encoding must be one of {', '.join(ACCEPTED)}")
    return name
