"""W3C Trace Context in the metadata of a request."""

import pytest

from saccade_server.tracing import TraceContext, read_trace_context

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


def read(text: str) -> TraceContext | None:
    """What a header says."""
    return read_trace_context({"traceparent": text})


@pytest.mark.parametrize(("flags", "sampled"), [("00", False), ("01", True), ("fe", False)])
def test_the_caller_s_span_is_read(flags: str, sampled: bool) -> None:
    """Both ids, and whether it is recorded."""
    assert TraceContext(TRACE, SPAN, sampled) == read(f"00-{TRACE}-{SPAN}-{flags}")


def test_a_later_version_may_say_more() -> None:
    """What stands behind is passed over, as the standard asks."""
    assert TraceContext(TRACE, SPAN, True) == read(f"cc-{TRACE}-{SPAN}-01-what-will-be")


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01, 00-{TRACE}-{SPAN}-01",
        f" 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
    ],
    ids=repr,
)
def test_what_the_standard_does_not_know_is_nothing(text: str) -> None:
    """The request is answered all the same, as a trace of its own or none."""
    assert read(text) is None


def test_no_header_is_no_span() -> None:
    """The usual case."""
    assert read_trace_context({}) is None
