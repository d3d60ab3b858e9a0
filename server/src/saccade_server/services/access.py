"""Who may call which method: decided once, at the start; nothing where there are no tokens."""

from dataclasses import replace
from functools import partial

from saccade_server.credentials import Tokens
from saccade_server.errors import PermissionDenied, Unauthenticated
from saccade_server.services.call import Call, Method

ADMIN = frozenset({"RepositoryModelLoad", "RepositoryModelUnload", "HandleReloadConfigRequest"})
"""Methods that change which models there are."""


def role_of(method: Method) -> str | None:
    """The role that a method needs; None where everybody may call it, as for probes."""
    if method.probe:
        return None
    return "admin" if method.name in ADMIN else "predict"


def guarded(methods: list[Method], tokens: Tokens | None) -> list[Method]:
    """The methods, for callers with a token that allows them.

    Others are refused before a byte of their message is parsed: with Unauthenticated without a
    known token, with PermissionDenied where it has another role.
    """
    return methods if tokens is None else [_guarded(method, tokens) for method in methods]


def _guarded(method: Method, tokens: Tokens) -> Method:
    role = role_of(method)
    return method if role is None else replace(method, admit=partial(_check, tokens, role))


def _check(tokens: Tokens, role: str, call: Call) -> None:
    # Sent twice, it comes as one text with a comma, which no token has.
    scheme, _, token = call.metadata.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("this server needs a token: authorization: Bearer TOKEN")
    roles = tokens.roles(token.strip(" "))
    if roles is None:
        raise Unauthenticated("the token is wrong, or no longer valid")
    if role not in roles:
        raise PermissionDenied(f"the token does not have the role {role}")
