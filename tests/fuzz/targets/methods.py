"""Every method that can be called over gRPC, from the bytes of its messages to its answer."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

from fixtures.hostile_images import seeds as pictures
from fixtures.in_process import InProcessServer, request
from saccade.v1 import classifier_pb2
from saccade_server.errors import MAX_TEXT, Code, SaccadeError
from saccade_server.protocols import inference_pb, tensorflow_pb, tensorflow_serving_pb
from saccade_server.services.call import Call, Method
from saccade_server.services.inference.tensors import join_elements

from ..building import Source, build_message
from ..catalogue import Check
from ..echoing import Errors, logged_errors
from ..records import cut, join

_PATHS = (
    *(f"/saccade.v1.ImageClassifier/{name}" for name in ("Classify", "ClassifyStream")),
    *(f"/inference.GRPCInferenceService/{name}" for name in ("ModelInfer", "ModelStreamInfer")),
    *(f"/tensorflow.serving.PredictionService/{name}" for name in ("Predict", "Classify")),
)
"""Methods that take images. An input's first octet says which one is called: these, then others."""

_BUILT = 0x80
"""Added to that: the input says how to make the messages."""

WAIT_S = 20.0


def seeds() -> list[bytes]:
    """Images for those that take any, and empty messages for all."""
    image = pictures()["GIF"]
    native = request(7, 200, request_id="a")
    native.images.add(encoded=image)
    infer = inference_pb.ModelInferRequest(model_name="tiny", id="b")
    infer.inputs.add(name="images", datatype="BYTES", shape=[1])
    infer.raw_input_contents.append(join_elements([image]))
    predict = tensorflow_serving_pb.PredictRequest(model_spec={"name": "tiny"})
    tensor = predict.inputs["images"]
    tensor.dtype = tensorflow_pb.DT_FLOAT
    tensor.float_val.append(3)
    for _ in range(4):
        tensor.tensor_shape.dim.add(size=1)
    classify = tensorflow_serving_pb.ClassificationRequest(model_spec={"name": "tiny"})
    feature = classify.input.example_list.examples.add().features.feature
    feature["image/encoded"].bytes_list.value.append(image)
    bad = classifier_pb2.ClassifyRequest(images=[{"encoded": b"no"}])
    messages: list[list[Any]] = [
        [native], [native, bad], [infer], [infer, infer], [predict], [classify],
    ]  # fmt: skip
    made = [
        bytes((number,)) + join(each.SerializeToString() for each in called)
        for number, called in enumerate(messages)
    ]
    empty = [bytes((number,)) + join([b""]) for number in range(len(_PATHS), 40)]
    built = [bytes((number + _BUILT,)) + join([bytes(9)]) for number in range(40)]
    return [*made, *empty, *built]


@contextmanager
def opened() -> Iterator[Check]:
    """A server around a fake engine, without its sockets."""
    with (
        tempfile.TemporaryDirectory() as root,
        asyncio.Runner() as runner,
        logged_errors() as errors,
    ):
        server = runner.run(_start(Path(root)))
        try:
            yield partial(_check, runner, server, errors)
        finally:
            runner.run(server.stop())


def _check(runner: asyncio.Runner, server: InProcessServer, errors: Errors, data: bytes) -> None:
    """A call is answered, or fails with a code that blames the caller and a short text."""
    methods = sorted(
        server.methods, key=lambda each: _PATHS.index(each.path) if each.path in _PATHS else 99
    )
    kind = data[0] if data else 0
    method = methods[kind % _BUILT % len(methods)]
    parts = list(cut(data[1:])) or [b""]
    if kind >= _BUILT:
        parts = [_built(method, part) for part in parts]
    refused = runner.run(asyncio.wait_for(_refusal(server, method, parts), WAIT_S))

    assert refused is None or refused.code is not Code.INTERNAL, (method.path, refused)
    assert refused is None or len(refused.message) <= MAX_TEXT, method.path
    assert [] == errors.texts


def _built(method: Method, part: bytes) -> bytes:
    message = method.request()
    build_message(message, Source(part))
    return message.SerializeToString()


async def _start(root: Path) -> InProcessServer:
    server = InProcessServer(root)
    await server.start()
    return server


async def _refusal(
    server: InProcessServer, method: Method, parts: list[bytes]
) -> SaccadeError | None:
    try:
        await _call(server, method, parts)
    except SaccadeError as error:
        return error
    return None


async def _call(server: InProcessServer, method: Method, parts: list[bytes]) -> None:
    if method.judge is not None and (come := server.answerer.preview(method, parts[0], Call())):
        come()
    if method.unary is not None:
        await server.answerer.unary(method, parts[0], Call())
        return
    sent = parts if method.streams_requests else parts[:1]
    answers = cast(Any, server.answerer.stream(method, _each(sent), Call()))
    async with aclosing(answers):
        async for _ in answers:
            # A watch goes on for ever.
            if not method.streams_requests:
                return


async def _each(parts: list[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
