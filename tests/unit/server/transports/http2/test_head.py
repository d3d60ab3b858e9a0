import pytest

from fixtures.echo import PREFIX, EchoService
from fixtures.http2_peer import Headers, head
from saccade_server.errors import Code
from saccade_server.transports.http2.head import (
    MalformedRequest,
    RequestHead,
    read_head,
    read_trailers,
)


def read(headers: Headers) -> RequestHead:
    return read_head(headers, {method.path: method for method in EchoService().methods()})


async def test_a_method_is_found_by_its_path() -> None:
    """The path is all that counts, not the authority."""
    found = read(head("Split", (":authority", "elsewhere"))).method

    assert found is not None
    assert PREFIX + "Split" == found.path


TIMEOUTS = {
    "2H": 7200.0,
    "3M": 180.0,
    "1S": 1.0,
    "50m": 0.05,
    "99999999u": 99.999999,
    "7n": 7e-9,
    "0S": 0.0,
}


@pytest.mark.parametrize(("text", "seconds"), TIMEOUTS.items())
async def test_a_timeout_is_read_in_any_unit(text: str, seconds: float) -> None:
    """Hours to nanoseconds."""
    assert pytest.approx(seconds) == read(head("Say", ("grpc-timeout", text))).timeout_s


@pytest.mark.parametrize("text", ["", "5", "S", "-1S", "123456789S", "1s", "1.5S", "1S "])
async def test_a_timeout_that_is_none_is_refused(text: str) -> None:
    """One to eight digits and a unit, nothing else."""
    refusal = read(head("Say", ("grpc-timeout", text))).refusal

    assert refusal is not None
    assert Code.INVALID_ARGUMENT == refusal.code


async def test_metadata_are_the_text_that_the_caller_added() -> None:
    """Neither the transport's own headers nor binary ones, however these are padded."""
    given = head(
        "Say",
        ("user-agent", "test/1"),
        ("grpc-timeout", "1S"),
        ("grpc-accept-encoding", "gzip"),
        ("x-token", "secret"),
        ("trace-bin", "AAE"),
        ("other-bin", "AAE="),
    )

    assert {"user-agent": "test/1", "x-token": "secret"} == dict(read(given).metadata)


@pytest.mark.parametrize("name", ["key", "authorization"])
async def test_equal_names_are_joined(name: str) -> None:
    """As with grpcio, so that none of two is passed over that a proxy may have looked at."""
    given = [*head(), (name, "first"), (name, "last")]

    assert {name: "first, last"} == dict(read(given).metadata)


@pytest.mark.parametrize("content_type", ["application/grpc", "application/grpc+proto",
                                          "application/grpc;charset=utf-8"])  # fmt: skip
async def test_any_grpc_content_type_will_do(content_type: str) -> None:
    """The message's format is ours to know."""
    assert 200 == read(head("Say", ("content-type", content_type))).http_status


NOT_GRPC = {
    "no content-type": ([x for x in head() if x[0] != "content-type"], 415),
    "JSON": (head("Say", ("content-type", "application/json")), 415),
    "gRPC-Web": (head("Say", ("content-type", "application/grpc-web")), 415),
    "GET": (head("Say", (":method", "GET")), 405),
    "CONNECT": ([(":method", "CONNECT"), (":authority", "x")], 405),
}


@pytest.mark.parametrize(("given", "status"), NOT_GRPC.values(), ids=list(NOT_GRPC))
async def test_what_is_not_grpc_gets_an_http_status(given: Headers, status: int) -> None:
    """So that a browser or a proxy understands."""
    assert status == read(given).http_status


UNIMPLEMENTED = {
    "an unknown method": head("Sing"),
    "an unknown encoding": head("Say", ("grpc-encoding", "snappy")),
}


@pytest.mark.parametrize("given", UNIMPLEMENTED.values(), ids=list(UNIMPLEMENTED))
async def test_what_we_do_not_offer_is_unimplemented(given: Headers) -> None:
    """A status of gRPC."""
    refusal = read(given).refusal

    assert refusal is not None
    assert Code.UNIMPLEMENTED == refusal.code


MALFORMED: dict[str, Headers] = {
    "nothing": [],
    "no path": [x for x in head() if x[0] != ":path"],
    "no method": [x for x in head() if x[0] != ":method"],
    "no scheme": [x for x in head() if x[0] != ":scheme"],
    "an empty path": head("Say", (":path", "")),
    "a pseudo-header twice": [(":method", "POST"), *head()],
    "an unknown pseudo-header": [(":status", "200"), *head()],
    "a late pseudo-header": [*head()[1:], head()[0]],
    "an upper-case name": head("Say", ("Key", "value")),
    "a name with a space": head("Say", ("a key", "value")),
    "an empty name": head("Say", ("", "value")),
    "a line break in a value": head("Say", ("key", "a\r\nb")),
    "a null in a value": head("Say", ("key", "a\0b")),
    "a header of HTTP/1.1": head("Say", ("connection", "close")),
    "transfer-encoding": head("Say", ("transfer-encoding", "chunked")),
    "te that is not trailers": head("Say", ("te", "gzip")),
    "a content-length that is no number": head("Say", ("content-length", "-1")),
    "a content-length in other digits": head("Say", ("content-length", "²")),
}


@pytest.mark.parametrize("given", MALFORMED.values(), ids=list(MALFORMED))
async def test_what_http2_forbids_is_malformed(given: Headers) -> None:
    """RFC 9113, section 8."""
    with pytest.raises(MalformedRequest):
        read(given)


async def test_trailers_hold_no_pseudo_headers() -> None:
    """Others are fine."""
    read_trailers([("x", "y")])

    with pytest.raises(MalformedRequest):
        read_trailers([(":path", "/")])
