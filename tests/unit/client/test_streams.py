"""Which answer belongs to which request."""

import pytest

from saccade._errors import InputError, Overloaded, ServerError
from saccade._streams import StreamLedger, StreamRequest
from saccade.v1 import classifier_pb2 as pb

A = StreamRequest(images=b"a", request_id="a")
B = StreamRequest(images=b"b", request_id="b")


def answer(request_id: str, label: str) -> pb.ClassifyStreamResponse:
    best = pb.Classification(classes=[pb.ScoredClass(label=label)])
    response = pb.ClassifyResponse(results=[pb.ImageResult(classification=best)])
    return pb.ClassifyStreamResponse(request_id=request_id, response=response)


def test_answers_find_their_requests_in_any_order() -> None:
    """By the id."""
    ledger = StreamLedger()
    ledger.open(A)
    ledger.open(B)
    answers = [ledger.settle(answer("b", "bee")), ledger.settle(answer("a", "ay"))]

    assert [(B, "bee"), (A, "ay")] == [
        (one.request, one.result().raise_for_errors()[0].label) for one in answers
    ]


def test_a_request_is_sent_as_it_says() -> None:
    """With its own model, classes and id."""
    request = StreamRequest(images=[b"a"], model="m", version=2, top_k=1, request_id="r")

    assert (
        pb.ClassifyRequest(
            model=pb.ModelSpec(name="m", version=2),
            images=[pb.Image(encoded=b"a")],
            top_k=1,
            request_id="r",
        )
        == StreamLedger().open(request).build()
    )


def test_a_failed_request_raises_when_its_result_is_asked_for() -> None:
    """Until then it is an answer like any other."""
    ledger = StreamLedger()
    ledger.open(A)
    failed = ledger.settle(
        pb.ClassifyStreamResponse(request_id="a", error=pb.Error(code=8, retry_after_us=1))
    )

    with pytest.raises(Overloaded):
        failed.result()


def test_an_id_may_be_used_again_once_answered() -> None:
    """It must be unique among those under way only."""
    ledger = StreamLedger()
    ledger.open(A)
    ledger.settle(answer("a", "ay"))

    assert "a" == ledger.open(A).request_id


def test_an_id_under_way_may_not_be_used_again() -> None:
    """The answers could not be told apart."""
    ledger = StreamLedger()
    ledger.open(A)

    with pytest.raises(InputError, match="'a' is still under way"):
        ledger.open(A)


def test_an_answer_to_nothing_is_the_servers_fault() -> None:
    """It is not passed over in silence."""
    with pytest.raises(ServerError, match="'a', which is not under way"):
        StreamLedger().settle(answer("a", "ay"))


def test_an_answer_that_does_not_fit_fails_its_own_request_only() -> None:
    """The stream goes on."""
    ledger = StreamLedger()
    ledger.open(A)
    response = pb.ClassifyStreamResponse(request_id="a", response=pb.ClassifyResponse())

    assert isinstance(ledger.settle(response).outcome, ServerError)


def test_a_stream_that_ends_too_early_is_the_servers_fault() -> None:
    """Each request gets an answer."""
    ledger = StreamLedger()
    ledger.open(A)

    with pytest.raises(ServerError, match="left 1 unanswered"):
        ledger.close()
