"""ModelInfer, good and bad: every data type in both forms, and every way to be wrong."""

import asyncio
from typing import Any

import grpc.aio
import pytest
from PIL import Image

from fixtures.in_process import InProcessServer, request
from fixtures.pictures import encode
from integration.server.failures import failure
from integration.server.inference.asking import Ask, asker, files, numbers, scores
from integration.server.load import block
from saccade_server.protocols import inference_pb as pb
from saccade_server.services.inference.tensors import join_elements

MARKS = (0, 51, 255)
SCORES = [[1.0, 0.0], [0.8, 0.2], [0.0, 1.0]]
PNG = encode(Image.new("L", (1, 1), 51), "PNG")

GOOD = {
    **{f"{kind} raw": numbers(*MARKS, datatype=kind) for kind in ("FP16", "FP32", "FP64")},
    **{f"{kind} raw": numbers(*MARKS, datatype=kind) for kind in ("UINT8", "INT32", "INT64")},
    **{
        f"{kind} typed": numbers(*MARKS, datatype=kind, raw=False)
        for kind in ("FP32", "FP64", "UINT8", "INT32", "INT64")
    },
}


@pytest.mark.parametrize("case", GOOD)
async def test_every_numeric_type_is_taken(ask: Ask, case: str) -> None:
    """The graph gets the numbers as they are, one row of scores an image comes back."""
    response = await ask("ModelInfer", GOOD[case])

    assert SCORES == scores(response)


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("shape", [[2], [2, 1]])
async def test_bytes_are_image_files(ask: Ask, raw: bool, shape: list[int]) -> None:
    """Decoded and resized as the native API does it."""
    response = await ask("ModelInfer", files(PNG, PNG, raw=raw, shape=shape))

    assert [[0.8, 0.2]] * 2 == scores(response)


@pytest.mark.parametrize("raw", [True, False])
async def test_the_answer_is_raw_where_the_request_was(ask: Ask, raw: bool) -> None:
    """Clients read the form that they write."""
    response = await ask("ModelInfer", numbers(1, raw=raw))

    assert (raw, raw) == (
        len(response.raw_output_contents) == 1,
        not response.outputs[0].HasField("contents"),
    )


async def test_the_answer_says_what_answered(ask: Ask) -> None:
    """Model, version, the request's id, and the output's name, type and shape."""
    asked = numbers(1, 2)
    asked.id = "seven"
    response = await ask("ModelInfer", asked)
    (output,) = response.outputs

    assert ("tiny", "1", "seven", "probabilities", "FP32", [2, 2]) == (
        response.model_name,
        response.model_version,
        response.id,
        output.name,
        output.datatype,
        list(output.shape),
    )


@pytest.mark.parametrize("raw", [True, False])
async def test_best_classes_are_told_as_texts(ask: Ask, raw: bool) -> None:
    """Score, index and label, best first; no more than there are classes."""
    asked = numbers(51, raw=raw)
    asked.outputs.add(name="probabilities").parameters["classification"].int64_param = 9
    response = await ask("ModelInfer", asked)
    (output,) = response.outputs
    texts = [b"0.800000:0:dark", b"0.200000:1:light"]
    told = response.raw_output_contents if raw else output.contents.bytes_contents

    assert ("BYTES", [1, 2], [join_elements(texts)] if raw else texts) == (
        output.datatype,
        list(output.shape),
        list(told),
    )


def changed(change: Any, *, make: Any = numbers, raw: bool = True) -> Any:
    """A good request, changed."""
    asked = make(1, raw=raw) if make is numbers else make(PNG, raw=raw)
    change(asked)
    return asked


def set_fields(target: Any, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(target, name, value)


SHAPE = "unexpected shape for input 'images' for model 'tiny'. Expected [-1,1,1,1], got "
BAD: dict[str, tuple[Any, str, str]] = {
    "unknown model": (
        changed(lambda r: set_fields(r, model_name="nobody")),
        "NOT_FOUND",
        "Request for unknown model: 'nobody' is not found",
    ),
    "unknown version": (
        changed(lambda r: set_fields(r, model_version="7")),
        "NOT_FOUND",
        "Request for unknown model: 'tiny' version 7 is not found",
    ),
    "version that is no number": (
        changed(lambda r: set_fields(r, model_version="new")),
        "INVALID_ARGUMENT",
        "failed to get model version from specified version string 'new'",
    ),
    "version 0": (
        changed(lambda r: set_fields(r, model_version="0")),
        "INVALID_ARGUMENT",
        "version should be an integral value > 0",
    ),
    "negative version": (
        changed(lambda r: set_fields(r, model_version="-1")),
        "INVALID_ARGUMENT",
        "version should be an integral value > 0",
    ),
    "no input": (
        pb.ModelInferRequest(model_name="tiny"),
        "INVALID_ARGUMENT",
        "expected 1 inputs but got 0 inputs for model 'tiny': missing is 'images'",
    ),
    "two inputs": (
        changed(lambda r: r.inputs.append(r.inputs[0])),
        "INVALID_ARGUMENT",
        "expected 1 inputs but got 2 inputs for model 'tiny'",
    ),
    "unknown input": (
        changed(lambda r: set_fields(r.inputs[0], name="pictures")),
        "INVALID_ARGUMENT",
        "unexpected inference input 'pictures' for model 'tiny'",
    ),
    "unknown output": (
        changed(lambda r: r.outputs.add(name="logits")),
        "INVALID_ARGUMENT",
        "unexpected inference output 'logits' for model 'tiny'",
    ),
    "output twice": (
        changed(lambda r: [r.outputs.add(name="probabilities") for _ in range(2)]),
        "INVALID_ARGUMENT",
        "output 'probabilities' is requested 2 times",
    ),
    "classes that are no number": (
        changed(
            lambda r: set_fields(
                r.outputs.add(name="probabilities").parameters["classification"], string_param="2"
            )
        ),
        "INVALID_ARGUMENT",
        "the parameter 'classification' must be a whole number of at least 0",
    ),
    "negative timeout": (
        changed(lambda r: set_fields(r.parameters["timeout"], int64_param=-1)),
        "INVALID_ARGUMENT",
        "the parameter 'timeout' must be a whole number of at least 0",
    ),
    "raw and typed": (
        changed(lambda r: r.inputs[0].contents.fp32_contents.append(1)),
        "INVALID_ARGUMENT",
        "contents field must not be specified when using raw_input_contents for 'images'",
    ),
    "raw contents twice": (
        changed(lambda r: r.raw_input_contents.append(b"")),
        "INVALID_ARGUMENT",
        "expected 1 raw_input_contents but got 2",
    ),
    "neither raw nor typed": (
        changed(lambda r: r.ClearField("raw_input_contents")),
        "INVALID_ARGUMENT",
        "expected 1 elements for inference input 'images', got 0",
    ),
    "unknown type": (
        changed(lambda r: set_fields(r.inputs[0], datatype="BOOL")),
        "INVALID_ARGUMENT",
        "inference input 'images' data-type is 'BOOL', but model 'tiny' takes",
    ),
    "typed FP16": (
        changed(lambda r: set_fields(r.inputs[0], datatype="FP16"), raw=False),
        "INVALID_ARGUMENT",
        "FP16 has no typed contents",
    ),
    "contents of another type": (
        changed(lambda r: set_fields(r.inputs[0], datatype="INT32"), raw=False),
        "INVALID_ARGUMENT",
        "INT32 goes in int_contents, not fp32_contents",
    ),
    "typed UINT8 beyond 255": (
        numbers(256, datatype="UINT8", raw=False),
        "INVALID_ARGUMENT",
        "a value of inference input 'images' is no UINT8",
    ),
    "few dimensions": (numbers(1, shape=[1, 1]), "INVALID_ARGUMENT", SHAPE + "[1,1]"),
    "no dimensions": (numbers(1, shape=[]), "INVALID_ARGUMENT", "unexpected shape"),
    "other size": (numbers(1, 2, shape=[1, 1, 2, 1]), "INVALID_ARGUMENT", SHAPE + "[1,1,2,1]"),
    "negative size": (numbers(1, shape=[-1, 1, 1, 1]), "INVALID_ARGUMENT", SHAPE + "[-1,1,1,1]"),
    "no images": (numbers(shape=[0, 1, 1, 1]), "INVALID_ARGUMENT", SHAPE + "[0,1,1,1]"),
    "batch too large": (
        numbers(*range(17)),
        "INVALID_ARGUMENT",
        "inference request batch-size must be <= 16 for 'tiny'",
    ),
    "few bytes": (
        numbers(1, shape=[2, 1, 1, 1]),
        "INVALID_ARGUMENT",
        "input byte size mismatch for input 'images'. Expected 8, got 4",
    ),
    "many elements": (
        numbers(1, 2, shape=[1, 1, 1, 1], raw=False),
        "INVALID_ARGUMENT",
        "expected 1 elements for inference input 'images', got 2",
    ),
    "not a number": (numbers(float("nan")), "INVALID_ARGUMENT", "a value is infinite"),
    "infinite": (numbers(float("inf"), 1), "INVALID_ARGUMENT", "a value is infinite"),
    "infinite FP16": (numbers(float("-inf"), datatype="FP16"), "INVALID_ARGUMENT", "infinite"),
    "too large for FP32": (numbers(1e300, datatype="FP64"), "INVALID_ARGUMENT", "too large"),
    "no image": (
        files(PNG, b"no image", PNG),
        "INVALID_ARGUMENT",
        "image 1: not an image",
    ),
    "more files than announced": (
        files(PNG, PNG, PNG, shape=[1]),
        "INVALID_ARGUMENT",
        "expected 1 elements for inference input 'images', got more than 1",
    ),
    "dimensions without end": (
        numbers(1, shape=[1] * 17),
        "INVALID_ARGUMENT",
        "input 'images' has 17 dimensions",
    ),
    "fewer files than announced": (
        files(PNG, shape=[2]),
        "INVALID_ARGUMENT",
        "expected 2 elements for inference input 'images', got 1",
    ),
    "files in three dimensions": (
        files(PNG, shape=[1, 1, 1]),
        "INVALID_ARGUMENT",
        "Expected [-1], got [1,1,1]",
    ),
    "files two by two": (files(*[PNG] * 4, shape=[2, 2]), "INVALID_ARGUMENT", "Expected [-1,1]"),
    "file cut short": (
        changed(lambda r: r.raw_input_contents.__setitem__(0, b"\x09\0\0\0short"), make=files),
        "INVALID_ARGUMENT",
        "incomplete element of a BYTES tensor: 9 bytes are announced, 5 follow",
    ),
    "length cut short": (
        changed(lambda r: r.raw_input_contents.__setitem__(0, b"\x09\0"), make=files),
        "INVALID_ARGUMENT",
        "incomplete length of an element of a BYTES tensor",
    ),
    "input in shared memory": (
        changed(
            lambda r: set_fields(r.inputs[0].parameters["shared_memory_region"], string_param="a")
        ),
        "UNIMPLEMENTED",
        "shared memory is not offered",
    ),
    "output in shared memory": (
        changed(
            lambda r: set_fields(
                r.outputs.add(name="probabilities").parameters["shared_memory_region"],
                string_param="a",
            )
        ),
        "UNIMPLEMENTED",
        "shared memory is not offered",
    ),
    "unprintable id": (
        changed(lambda r: set_fields(r, id="a\nb")),
        "INVALID_ARGUMENT",
        "request_id must be",
    ),
}


@pytest.mark.parametrize("case", BAD)
async def test_what_is_wrong_is_said(ask: Ask, tiny: InProcessServer, case: str) -> None:
    """Each mistake has its code and its text, and costs no call of the engine."""
    asked, code, text = BAD[case]
    actual, details = await failure(ask("ModelInfer", asked))

    assert code == actual
    assert text in details
    assert [] == tiny.engine.batches


async def test_a_model_that_loads_is_unavailable(start_in_process: Any) -> None:
    """It may be asked again later."""
    server = await start_in_process(loaded=False)
    await server.reach(1, "saccade_model_state", model="tiny", version="1", state="loading")
    async with grpc.aio.insecure_channel(server.address) as channel:
        code, text = await failure(asker(channel)("ModelInfer", numbers(1)))

    assert ("UNAVAILABLE", "model 'tiny' is loading: try again later") == (code, text)


async def test_a_timeout_is_a_deadline(ask: Ask, tiny: InProcessServer, stub: Any) -> None:
    """What still waits when its microseconds are over is not computed."""
    first = await block(tiny, stub)
    asked = numbers(7)
    asked.parameters["timeout"].int64_param = 50_000
    late = asyncio.create_task(failure(ask("ModelInfer", asked)))
    await tiny.reach_queued(1)
    await asyncio.sleep(0.1)
    tiny.engine.release()
    code, _ = await late
    await first

    assert ("DEADLINE_EXCEEDED", [[0]]) == (code, tiny.engine.batches)


@pytest.mark.parametrize("field", ["int64_param", "uint64_param"])
async def test_priority_1_goes_first(
    ask: Ask, tiny: InProcessServer, stub: Any, field: str
) -> None:
    """Old and new clients write the number in different fields."""
    first = await block(tiny, stub)
    waiting = [asyncio.create_task(ask("ModelInfer", numbers(*range(1, 5))))]
    await tiny.reach_queued(4)
    urgent = numbers(9)
    setattr(urgent.parameters["priority"], field, 1)
    waiting.append(asyncio.create_task(ask("ModelInfer", urgent)))
    await tiny.reach_queued(5)
    tiny.engine.release()
    await asyncio.gather(first, *waiting)

    assert [9] == tiny.engine.batches[1][:1]


async def test_both_apis_share_a_batch(ask: Ask, tiny: InProcessServer, stub: Any) -> None:
    """Native requests and the protocol's, in numbers and in files, wait in one queue."""
    first = await block(tiny, stub)
    native = stub.Classify(request(1), timeout=20)
    await tiny.reach_queued(1)
    waiting = [asyncio.create_task(ask("ModelInfer", numbers(2, datatype="UINT8")))]
    await tiny.reach_queued(2)
    waiting.append(asyncio.create_task(ask("ModelInfer", numbers(3))))
    await tiny.reach_queued(3)
    tiny.engine.release()
    await asyncio.gather(first, native, *waiting)

    assert [[0], [1, 2, 3]] == tiny.engine.batches
    assert 1 == tiny.value("saccade_batch_images_bucket", model="tiny", le="4.0") - tiny.value(
        "saccade_batch_images_bucket", model="tiny", le="2.0"
    )


async def test_an_engine_failure_hides_its_details(ask: Ask, tiny: InProcessServer) -> None:
    """The caller gets an id to ask about; the log has the rest."""
    tiny.engine.poison = 13
    asked = numbers(13)
    asked.id = "thirteen"
    code, text = await failure(ask("ModelInfer", asked))

    assert ("INTERNAL", "internal error (request id thirteen)") == (code, text)
