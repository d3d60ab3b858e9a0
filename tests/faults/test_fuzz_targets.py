"""The targets of the fuzzer, over what they begin with and what once did harm."""

import pytest

from fixtures.mutations import mutate, told_apart
from fuzz.building import Source, build_json, build_message, written, written_message
from fuzz.catalogue import load, names, regressions
from saccade_server.protocols import tensorflow_pb, tensorflow_serving_pb

SHORT, FULL = 50, 5_000


def test_what_is_written_for_the_fuzzer_is_built_again() -> None:
    """So its targets begin with what real callers say."""
    said = {"inputs": [{"name": "images", "shape": [1, -300], "x é": [0.5, True, "aGFsbG8="]}]}

    predict = tensorflow_serving_pb.PredictRequest(model_spec={"name": "tiny"})
    tensor = predict.inputs["images"]
    tensor.MergeFrom(tensorflow_pb.TensorProto(dtype=tensorflow_pb.DT_HALF, half_val=[1, 2]))
    tensor.MergeFrom(tensorflow_pb.TensorProto(int64_val=[-5], tensor_content=b"ab"))
    built = tensorflow_serving_pb.PredictRequest()
    build_message(built, Source(written_message(predict)))

    assert (said, predict) == (build_json(Source(written(said))), built)


@pytest.mark.parametrize("name", names())
def test_a_target_holds_for_what_it_begins_with(name: str) -> None:
    """And for the inputs that did harm until the code was repaired."""
    target = load(name)
    with target.opened() as check:
        for data in (*target.seeds(), *regressions(name), b""):
            check(data)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", names())
def test_a_target_holds_for_damaged_inputs(name: str, full: bool) -> None:
    """At random; where the code leads is followed by `python -m tests.fuzz`."""
    target = load(name)
    whole = list(target.seeds())
    with target.opened() as check:
        for number in range(FULL if full else SHORT):
            with told_apart(number):
                check(mutate(whole[number % len(whole)], number))
