"""Reading what h2load prints and logs."""

import numpy as np
import pytest

from benchmarks.h2load import LoadError, parse_log, parse_summary, steady_latencies

SUMMARY = """
finished in 4.00s, 594.00 req/s, 107.64KB/s
requests: 1782 total, 1782 started, 1782 done, 1782 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 1782 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 322.91KB (330661) total, 9.32KB (9546) headers (space savings 95%), 290.73KB (297712) data
"""


def test_the_summary_tells_requests_and_message_bytes() -> None:
    """Both from the lines that h2load prints."""
    assert (1782, 297712) == parse_summary(SUMMARY)


@pytest.mark.parametrize("failure", ["3 failed, 0 errored", "0 failed, 3 errored"])
def test_a_failed_request_makes_the_figures_void(failure: str) -> None:
    """Failures are often quick: a rate with them says nothing."""
    text = SUMMARY.replace("0 failed, 0 errored", failure)

    with pytest.raises(LoadError) as caught:
        parse_summary(text)

    assert failure in str(caught.value)


def test_output_without_a_summary_is_an_error_that_shows_it() -> None:
    """Such as a complaint about a flag."""
    with pytest.raises(LoadError) as caught:
        parse_summary("-D: value error")

    assert "-D: value error" in str(caught.value)


def test_the_log_gives_start_and_duration_of_good_requests() -> None:
    """In seconds, from microseconds; -1 is the status of a broken stream."""
    log = "2000000\t200\t1500\n2000002\t-1\t9\n3000000\t200\t250\n"

    starts, durations = parse_log(log)

    assert ([2.0, 3.0], [0.0015, 0.00025]) == (starts.tolist(), durations.tolist())


def test_an_empty_log_gives_nothing() -> None:
    """A server may be too slow for a single answer."""
    assert [0, 0] == [len(each) for each in parse_log("")]


def test_what_ended_in_the_first_fifth_is_not_counted() -> None:
    """Of a run of 10 s: the one that ended after 1.5 s."""
    starts, durations = np.array([100.0, 101.0, 103.0, 106.0]), np.array([1.5, 2.0, 3.0, 3.0])

    assert [2.0, 3.0, 3.0] == steady_latencies(starts, durations, seconds=10.0).tolist()
