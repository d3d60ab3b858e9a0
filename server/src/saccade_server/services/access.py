"""Who may call which method: wraps handlers once, at the start; none where there are no tokens."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from google.protobuf.message import Message

from saccade_server.credentials import Tokens
from saccade_server.errors import PermissionDenied, Unauthenticated
from saccade_server.services.call import Call, Method, StreamHandler, UnaryHandler

ADMIN = frozenset({"RepositoryModelLoad", "RepositoryModelUnload", "HandleReloadConfigRequest"})
"""Methods that change which models there are."""

OPEN = frozenset({"ServerLive", "ServerReady", "ModelReady"})
"""Probes, for callers that have no token; with all of `grpc.health.v1`."""


def role_of(method: Method) -> str | None:
    """The role that a method needs; None where everybody may call it."""
    if method.api == "health" or method.name in OPEN:
        return None
    return "admin" if method.name in ADMIN else "predict"


def guarded(methods: list[Method], tokens: Tokens | None) -> list[Method]:
    """The methods, for callers with a token that allows them.

    Their handlers raise Unauthenticated without a known token, and PermissionDenied where it has
    another role.
    """
    return methods if tokens is None else [_guarded(method, tokens) for method in methods]


def _guarded(method: Method, tokens: Tokens) -> Method:
    role = role_of(method)
    if role is None:
        return method
    if method.unary is not None:
        return replace(method, unary=_unary(method.unary, tokens, role))
    if method.stream is not None:
        return replace(method, stream=_stream(method.stream, tokens, role))
    return method


def _unary(handler: UnaryHandler, tokens: Tokens, role: str) -> UnaryHandler:
    async def answer(request: Any, call: Call) -> Message:
        _check(call, tokens, role)
        return await handler(request, call)

    return answer


def _stream(handler: StreamHandler, tokens: Tokens, role: str) -> StreamHandler:
    async def answer(requests: AsyncIterator[Any], call: Call) -> AsyncIterator[Message]:
        _check(call, tokens, role)
        async for message in handler(requests, call):
            yield message

    return answer


def _check(call: Call, tokens: Tokens, role: str) -> None:
    scheme, _, token = call.metadata.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("this server needs a token: authorization: Bearer TOKEN")
    roles = tokens.roles(token.strip())
    if roles is None:
        raise Unauthenticated("the token is wrong, or no longer valid")
    if role not in roles:
        raise PermissionDenied(f"the token does not have the role {role}")
