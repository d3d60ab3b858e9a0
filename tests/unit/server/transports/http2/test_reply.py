import base64
from urllib.parse import unquote

import pytest
from google.rpc import error_details_pb2, status_pb2

from fixtures.http2_peer import read_block
from saccade_server.errors import NotFound, Overloaded
from saccade_server.transports.http2.reply import error_trailers, not_grpc
from saccade_server.transports.status import MAX_TEXT_BYTES, percent_encode


@pytest.mark.parametrize("text", ["plain", "100 %", "“quoted”", "line\nbreak", "\x7f\x00", ""])
def test_an_errors_text_survives_the_header(text: str) -> None:
    """Percent-encoded, as gRPC has it, in printable ASCII."""
    encoded = percent_encode(text)

    assert encoded.isascii()
    assert encoded.isprintable()
    assert text == unquote(encoded)


def test_a_long_text_is_cut_between_characters() -> None:
    """Clients refuse headers of more than some kilobytes."""
    encoded = percent_encode("é" * 2000)

    assert MAX_TEXT_BYTES >= len(encoded)
    assert {"é"} == set(unquote(encoded))


def test_half_a_surrogate_does_no_harm() -> None:
    """A text that is no Unicode still has a form."""
    assert "?" == percent_encode("\ud800")


def test_a_refusal_says_when_to_come_back() -> None:
    """In google.rpc.RetryInfo, in base64 without padding."""
    headers = read_block(error_trailers(Overloaded("full", retry_after_s=0.25)))

    encoded = headers["grpc-status-details-bin"]
    status = status_pb2.Status.FromString(base64.b64decode(encoded + "=" * (-len(encoded) % 4)))
    retry = error_details_pb2.RetryInfo()
    status.details[0].Unpack(retry)
    assert "=" not in encoded
    assert (8, "full", 0.25) == (
        status.code,
        status.message,
        retry.retry_delay.ToTimedelta().total_seconds(),
    )


def test_an_error_without_retry_has_no_details() -> None:
    """Code and text are enough."""
    headers = read_block(error_trailers(NotFound("no such model")))

    assert {"grpc-status": "5", "grpc-message": "no such model"} == headers


def test_a_caller_that_speaks_no_grpc_gets_a_status_and_a_reason() -> None:
    """Both of HTTP and of gRPC."""
    headers = read_block(not_grpc(415))

    assert ("415", "13") == (headers[":status"], headers["grpc-status"])
