"""How answers are read."""

import grpc
import pytest

from saccade._errors import ImagesFailed, ServerError
from saccade._options import ClientOptions
from saccade._requests import PlannedRequest, plan_requests
from saccade._results import (
    Answer,
    ClassifyResult,
    ImageError,
    ModelRef,
    Prediction,
    ScoredClass,
    Timings,
    read_answer,
)
from saccade.v1 import classifier_pb2 as pb

DIGITS = ModelRef(name="digits", version=2)
SEVEN = pb.ImageResult(
    classification=pb.Classification(classes=[pb.ScoredClass(label="7", index=7, score=0.75)])
)
BROKEN = pb.ImageResult(error=pb.Error(code=3, message="not an image"))


def planned(images: int, at_most: int = 32) -> list[PlannedRequest]:
    options = ClientOptions(max_request_images=at_most)
    return plan_requests([b"1"] * images, pb.ModelSpec(), None, "r", options)


def answer(*results: pb.ImageResult) -> pb.ClassifyResponse:
    return pb.ClassifyResponse(
        model=pb.ModelSpec(name="digits", version=2), results=results, request_id="echoed"
    )


def result(*results: pb.ImageResult) -> ClassifyResult:
    return ClassifyResult(answers=(read_answer(answer(*results), planned(len(results))[0]),))


def test_an_answer_is_read_whole() -> None:
    """Classes, model, id, and times in seconds."""
    response = answer(SEVEN)
    response.timings.MergeFrom(
        pb.Timings(decode_us=1_000, queue_us=2_000, inference_us=500_000, batch_images=8)
    )
    best = ScoredClass(label="7", index=7, score=0.75)

    assert Answer(
        request_id="echoed",
        model=DIGITS,
        timings=Timings(decode_s=0.001, queue_s=0.002, inference_s=0.5, batch_images=8),
        outcomes=(Prediction(index=0, classes=(best,), model=DIGITS),),
    ) == read_answer(response, planned(1)[0])


def test_a_prediction_shows_its_best_class() -> None:
    """The first one."""
    (seven,) = result(SEVEN).raise_for_errors()

    assert ("7", 0.75) == (seven.label, seven.score)


def test_outcomes_count_on_over_several_answers() -> None:
    """A split list looks like one."""
    first, second = planned(3, at_most=2)
    answers = read_answer(answer(SEVEN, SEVEN), first), read_answer(answer(SEVEN), second)

    assert [0, 1, 2] == [outcome.index for outcome in ClassifyResult(answers=answers)]


def test_a_result_is_indexed_and_counted_like_a_list() -> None:
    """Its last outcome is that of the last image."""
    found = result(SEVEN, BROKEN)

    assert (2, found.errors[0]) == (len(found), found[-1])


def test_a_failed_image_is_a_value() -> None:
    """Its neighbour is not touched."""
    error = ImageError(index=1, code=grpc.StatusCode.INVALID_ARGUMENT, message="not an image")

    assert (error,) == result(SEVEN, BROKEN).errors


def test_failed_images_can_be_made_to_raise() -> None:
    """For callers to whom one failure spoils all."""
    with pytest.raises(ImagesFailed) as caught:
        result(BROKEN, SEVEN, BROKEN).raise_for_errors()

    assert [0, 2] == [error.index for error in caught.value.errors]


def test_a_result_without_outcome_is_an_error_not_an_ok() -> None:
    """A server of a later day may answer what this client cannot read."""
    assert [grpc.StatusCode.UNKNOWN] == [error.code for error in result(pb.ImageResult()).errors]


def test_an_answer_of_the_wrong_length_is_the_servers_fault() -> None:
    """Nobody could say which result is whose."""
    with pytest.raises(ServerError, match="1 results for 2 images"):
        read_answer(answer(SEVEN), planned(2)[0])


def test_a_model_prints_as_in_the_repository() -> None:
    """Name and version."""
    assert "digits/2" == str(DIGITS)
