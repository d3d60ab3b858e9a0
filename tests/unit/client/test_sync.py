"""The blocking client over a channel without a network."""

from typing import Any, cast

import grpc
import pytest

from saccade._errors import InputError, NotFound, Unavailable
from saccade._health import Health
from saccade._options import ClientOptions
from saccade._retry import RetryPolicy
from saccade._sync import Client
from saccade.v1 import classifier_pb2 as pb
from unit.client.fakes import FakeChannel, FakeRpcError

NO_PAUSE = ClientOptions(
    token="t0p", retry=RetryPolicy(max_attempts=3, initial_backoff_s=0, max_backoff_s=0)
)
GONE = FakeRpcError(grpc.StatusCode.UNAVAILABLE)
SEVEN = pb.ClassifyResponse(
    model=pb.ModelSpec(name="digits", version=1),
    results=[pb.ImageResult(classification=pb.Classification(classes=[pb.ScoredClass(label="7")]))],
)


def client(*answers: Any) -> tuple[Client, FakeChannel]:
    channel = FakeChannel(list(answers))
    return Client(options=NO_PAUSE, channel=cast("grpc.Channel", channel)), channel


def test_a_server_that_was_gone_for_a_moment_is_asked_again() -> None:
    """The caller does not notice."""
    asking, _ = client(GONE, GONE, SEVEN)

    assert "7" == asking.classify(b"1").raise_for_errors()[0].label


def test_a_retry_is_the_same_request() -> None:
    """Under the same id, which the server's log then shows twice."""
    asking, channel = client(GONE, SEVEN)
    asking.classify(b"1")

    assert channel.calls[0].request == channel.calls[1].request


def test_attempts_are_bounded() -> None:
    """The last error is the one that is raised, with the request's id."""
    asking, channel = client(GONE, GONE, GONE, SEVEN)
    with pytest.raises(Unavailable) as caught:
        asking.classify(b"1", request_id="r")

    assert (3, "r") == (len(channel.calls), caught.value.request_id)


def test_an_error_that_would_come_again_is_raised_at_once() -> None:
    """One call, one error."""
    asking, channel = client(FakeRpcError(grpc.StatusCode.NOT_FOUND), SEVEN)
    with pytest.raises(NotFound):
        asking.get_model("digits")

    assert 1 == len(channel.calls)


@pytest.mark.parametrize("method", ["classify", "list_models", "get_model", "health"])
def test_each_call_carries_the_token_and_a_deadline(method: str) -> None:
    """None is forgotten."""
    answers = {
        "classify": SEVEN,
        "list_models": pb.ListModelsResponse(),
        "get_model": pb.GetModelResponse(),
        "health": Health.SERVING,
    }
    asking, channel = client(answers[method])
    call = getattr(asking, method)
    call(b"1") if method == "classify" else call()

    (sent,) = channel.calls
    assert ((("authorization", "Bearer t0p"),), True) == (
        sent.metadata,
        sent.timeout is not None and 9 < sent.timeout <= 10,
    )


def test_a_wrong_image_costs_no_call() -> None:
    """Not even for the right ones beside it."""
    asking, channel = client(SEVEN)
    with pytest.raises(InputError):
        asking.classify([b"1", b""])

    assert [] == channel.calls


def test_a_channel_of_the_callers_is_left_open() -> None:
    """Whoever made it closes it."""
    asking, channel = client()
    with asking:
        pass

    assert not channel.closed
