"""The settings of a client."""

import json
import math
from typing import Any

import pytest

from saccade._errors import InputError
from saccade._metadata import CallMetadata
from saccade._options import ClientOptions, Tls, check_target

POSITIVE = [
    "timeout_s",
    "max_request_images",
    "max_request_bytes",
    "max_concurrent_requests",
    "max_message_bytes",
    "keepalive_s",
]


@pytest.mark.parametrize("name", POSITIVE)
@pytest.mark.parametrize("value", [0, -1, math.nan])
def test_a_number_must_be_above_zero(name: str, value: float) -> None:
    """The text names the setting."""
    with pytest.raises(InputError, match=name):
        ClientOptions(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("token", ["", "secret\n", "two words", "sécret"])
def test_a_token_that_no_header_can_hold_is_refused_unseen(token: str) -> None:
    """Such as one read from a file with its line end; the secret stays out of the text."""
    with pytest.raises(InputError) as caught:
        ClientOptions(token=token)

    assert "the token is empty, or holds spaces, line ends or non-ASCII letters" == str(
        caught.value
    )


def test_a_metadata_key_must_be_lower_case() -> None:
    """HTTP/2 knows no other."""
    with pytest.raises(InputError, match="'X-Tenant'"):
        ClientOptions(metadata=(("X-Tenant", "a"),))


def test_a_metadata_value_that_no_header_can_hold_is_refused_unseen() -> None:
    """It may be a secret too."""
    with pytest.raises(InputError, match="'x-key' must be printable ASCII") as caught:
        ClientOptions(metadata=(("x-key", "sécret"),))

    assert "sécret" not in str(caught.value)


TWO = [
    {"token": "t0p", "token_file": "file"},
    {"token": "t0p", "metadata": (("authorization", "Bearer t1p"),)},
    {"token_file": "file", "metadata": (("authorization", "Bearer t1p"),)},
]


@pytest.mark.parametrize("given", TWO, ids=lambda given: " ".join(given))
def test_one_token_is_enough(given: dict[str, Any]) -> None:
    """A server would take one of two, or none."""
    with pytest.raises(InputError, match="give one of token, token_file and authorization"):
        ClientOptions(**given)


ONE = [{"token": "t0p"}, {"token_file": "file"}, {"metadata": (("authorization", "Bearer t0p"),)}]


@pytest.mark.parametrize("given", ONE, ids=lambda given: " ".join(given))
def test_a_token_goes_to_no_other_machine_in_the_clear(given: dict[str, Any]) -> None:
    """However it is given; the text says what to do."""
    with pytest.raises(InputError, match="allow_plaintext_token") as caught:
        check_target("serving.example:8500", ClientOptions(**given))

    assert "t0p" not in str(caught.value)


ALLOWED = {
    "TLS": ("serving.example:8500", ClientOptions(token="t0p", tls=Tls())),
    "no token": ("serving.example:8500", ClientOptions()),
    "on purpose": ("serving.example:8500", ClientOptions(token="t0p", allow_plaintext_token=True)),
    "this machine": ("localhost:8500", ClientOptions(token="t0p")),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_a_token_goes_where_it_is_safe_or_meant_to(case: str) -> None:
    """Nothing is refused there."""
    check_target(*ALLOWED[case])


def test_the_token_goes_with_the_metadata() -> None:
    """As a bearer token, behind the caller's own pairs."""
    options = ClientOptions(token="t0p", metadata=(("x-tenant", "a"),))

    assert (("x-tenant", "a"), ("authorization", "Bearer t0p")) == CallMetadata(options)()


def test_without_a_token_nothing_is_added() -> None:
    """No empty header."""
    assert () == CallMetadata(ClientOptions())()


def test_secrets_stay_out_of_the_text_form() -> None:
    """Options end up in logs."""
    tls = Tls(certificate_chain=b"c", private_key=b"k3y")
    text = repr(ClientOptions(token="t0p", metadata=(("x-key", "s3cret"),), tls=tls))

    assert not [secret for secret in ("t0p", "k3y", "s3cret") if secret in text]


@pytest.mark.parametrize("half", [{"certificate_chain": b"c"}, {"private_key": b"k"}], ids=str)
def test_certificate_and_key_come_together(half: dict[str, bytes]) -> None:
    """One alone proves nothing."""
    with pytest.raises(InputError, match="needs its private key"):
        Tls(**half)


def test_calls_are_spread_over_all_addresses_of_a_name() -> None:
    """Else one pod of a Service gets all of them."""
    arguments = dict(ClientOptions().channel_arguments())

    assert {"loadBalancingConfig": [{"round_robin": {}}]} == json.loads(
        str(arguments["grpc.service_config"])
    )


def test_no_keepalive_where_none_is_wanted() -> None:
    """Infinite means never."""
    arguments = dict(ClientOptions(keepalive_s=math.inf).channel_arguments())

    assert "grpc.keepalive_time_ms" not in arguments


@pytest.mark.parametrize("target", ["", "http://localhost:8500", "https://host"])
def test_a_web_address_is_no_target(target: str) -> None:
    """Otherwise gRPC would look it up in DNS and call it unreachable."""
    with pytest.raises(InputError, match="must be host:port"):
        check_target(target, ClientOptions())
