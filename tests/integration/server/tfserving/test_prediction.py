"""PredictionService: each method, good and bad input, each data type."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from fixtures.in_process import InProcessServer
from fixtures.pictures import encode
from integration.server.tfserving.asking import (
    Ask,
    examples,
    pixels,
    predict,
    refusal,
    scores,
    tensor,
)
from saccade_server.protocols import tensorflow_pb as tf
from saccade_server.protocols import tensorflow_serving_pb as pb

WHITE = encode(Image.new("L", (3, 2), 255), "PNG")
LIGHT = [0.0, 1.0]
DARK = [1.0, 0.0]
TINY = {"name": "tiny"}
ONE = (1, 1, 1, 1)
TWO = (2, 1, 1, 1)

FLOAT_LISTS = {"DT_FLOAT": "float_val", "DT_DOUBLE": "double_val"}
WHOLE_LISTS = {
    "DT_UINT8": "int_val",
    "DT_UINT16": "int_val",
    "DT_INT16": "int_val",
    "DT_INT32": "int_val",
    "DT_UINT32": "uint32_val",
    "DT_INT64": "int64_val",
    "DT_UINT64": "uint64_val",
}
LISTS = [
    *((dtype, field, [255, 0]) for dtype, field in (FLOAT_LISTS | WHOLE_LISTS).items()),
    ("DT_INT8", "int_val", [127, 0]),
    ("DT_HALF", "half_val", np.array([255, 0], np.float16).view(np.uint16).tolist()),
    # The upper halves of 255.0 and 0.0.
    ("DT_BFLOAT16", "half_val", [0x437F, 0]),
]
CONTENTS = [
    ("DT_FLOAT", "<f4"),
    ("DT_DOUBLE", "<f8"),
    ("DT_HALF", "<f2"),
    ("DT_UINT8", "u1"),
    ("DT_UINT16", "<u2"),
    ("DT_INT16", "<i2"),
    ("DT_INT32", "<i4"),
    ("DT_UINT32", "<u4"),
    ("DT_INT64", "<i8"),
    ("DT_UINT64", "<u8"),
]


@pytest.mark.parametrize(("dtype", "field", "values"), LISTS)
async def test_typed_values_are_read(ask: Ask, dtype: str, field: str, values: list[int]) -> None:
    """Of every real type that becomes the graph's."""
    response = await ask("Predict", predict(tensor(dtype, TWO, **{field: values})))
    light = round(127 / 255, 4) if dtype == "DT_INT8" else 1.0

    assert [[round(1 - light, 4), light], DARK] == scores(response)


@pytest.mark.parametrize(("dtype", "kind"), CONTENTS)
async def test_content_is_read(ask: Ask, dtype: str, kind: str) -> None:
    """The elements as they lie in memory."""
    content = np.array([255, 0], kind).tobytes()
    response = await ask("Predict", predict(tensor(dtype, TWO, tensor_content=content)))

    assert [LIGHT, DARK] == scores(response)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([255], [LIGHT, LIGHT, LIGHT]), ([255, 0], [LIGHT, DARK, DARK]), ([], [DARK, DARK, DARK])],
)
async def test_the_last_value_fills_the_rest(
    ask: Ask, values: list[float], expected: list[list[float]]
) -> None:
    """And none means zeros."""
    response = await ask("Predict", predict(tensor("DT_FLOAT", (3, 1, 1, 1), float_val=values)))

    assert expected == scores(response)


@pytest.mark.parametrize(
    ("shape", "fields", "count"),
    [
        ((1,), {"string_val": [WHITE]}, 1),
        ((2, 1), {"string_val": [WHITE, WHITE]}, 2),
        ((2,), {"string_val": [WHITE]}, 2),
        ((2,), {"tensor_content": bytes([len(WHITE), len(WHITE)]) + WHITE + WHITE}, 2),
    ],
)
async def test_image_files_are_decoded(
    ask: Ask, shape: tuple[int, ...], fields: dict[str, Any], count: int
) -> None:
    """As those of the native API, and resized by the model's rule."""
    assert len(WHITE) < 128
    response = await ask("Predict", predict(tensor("DT_STRING", shape, **fields)))

    assert [LIGHT] * count == scores(response)


async def test_the_answer_says_what_answered(ask: Ask) -> None:
    """The version and the signature, though the request names none."""
    response = await ask("Predict", predict())
    expected = pb.ModelSpec(name="tiny", version={"value": 1}, signature_name="serving_default")

    assert expected == response.model_spec


async def test_a_filtered_output_is_answered(ask: Ask) -> None:
    """There is only one."""
    request = predict()
    request.output_filter.append("probabilities")

    assert [LIGHT] == scores(await ask("Predict", request))


BAD_PREDICTIONS = {
    "no model": (pb.PredictRequest(), "INVALID_ARGUMENT", "Missing ModelSpec"),
    "no name": (predict(name="images") and pb.PredictRequest(model_spec={"signature_name": "x"}),
                "INVALID_ARGUMENT", "ModelSpec has no name specified."),
    "another model": (
        pb.PredictRequest(model_spec={"name": "cats"}),
        "NOT_FOUND", "Servable not found for request: Latest(cats)",
    ),
    "another version": (
        predict(version={"value": 7}), "NOT_FOUND",
        "Servable not found for request: Specific(tiny, 7)",
    ),
    "version 0": (
        predict(version={"value": 0}), "NOT_FOUND",
        "Servable not found for request: Specific(tiny, 0)",
    ),
    "another label": (
        predict(version_label="canary"), "INVALID_ARGUMENT",
        "Unrecognized servable version label: canary",
    ),
    "another signature": (
        predict(signature_name="train"), "FAILED_PRECONDITION",
        'Serving signature key "train" not found.',
    ),
    "no input": (
        pb.PredictRequest(model_spec=TINY), "INVALID_ARGUMENT",
        "input size does not match signature: 0!=1 len({}) != len({images}). "
        "Sent extra: {}. Missing but required: {images}.",
    ),
    "another input": (
        predict(pixels(1), name="x"), "INVALID_ARGUMENT",
        "Signature input alias: images not found in request and no default value provided. "
        "Inputs expected to be in the request {x}",
    ),
    "text for a number": (
        predict(tensor("DT_BOOL", ONE, bool_val=[True])), "INVALID_ARGUMENT",
        "Expects arg[0] to be float but bool is provided",
    ),
    "complex": (
        predict(tensor("DT_COMPLEX64", ONE)), "INVALID_ARGUMENT",
        "Expects arg[0] to be float but complex64 is provided",
    ),
    "no type": (
        predict(tensor("DT_INVALID", ONE)), "INVALID_ARGUMENT",
        "Expects arg[0] to be float but invalid is provided",
    ),
    "another shape": (
        predict(tensor("DT_FLOAT", (1, 2, 2, 1))), "INVALID_ARGUMENT",
        "input 'images' has the shape [1,2,2,1], expected is [-1,1,1,1], or [-1] for image files",
    ),
    "no shape": (
        predict(tensor("DT_FLOAT", ())), "INVALID_ARGUMENT",
        "input 'images' has the shape [], expected is [-1,1,1,1], or [-1] for image files",
    ),
    "a negative size": (
        predict(tensor("DT_FLOAT", (-1, 1, 1, 1))), "INVALID_ARGUMENT",
        "input 'images' has the shape [-1,1,1,1], expected is [-1,1,1,1], or [-1] for image files",
    ),
    "too many images": (
        predict(tensor("DT_FLOAT", (1 << 40, 1, 1, 1))), "INVALID_ARGUMENT",
        "the request has 1099511627776 images: send 1 to 16",
    ),
    "too many values": (
        predict(tensor("DT_FLOAT", ONE, float_val=[1, 2])), "INVALID_ARGUMENT",
        "tensor parsing error: images",
    ),
    "too little content": (
        predict(tensor("DT_FLOAT", ONE, tensor_content=b"abc")), "INVALID_ARGUMENT",
        "tensor parsing error: images",
    ),
    "a value too large for its type": (
        predict(tensor("DT_UINT8", ONE, int_val=[256])), "INVALID_ARGUMENT",
        "tensor parsing error: images",
    ),
    "no number": (
        predict(pixels(float("nan"))), "INVALID_ARGUMENT",
        "a value is infinite, not a number, or too large for float",
    ),
    "too large for float": (
        predict(tensor("DT_DOUBLE", ONE, double_val=[1e300])), "INVALID_ARGUMENT",
        "a value is infinite, not a number, or too large for float",
    ),
    "no image file": (
        predict(tensor("DT_STRING", (2,), string_val=[WHITE, b"no"])), "INVALID_ARGUMENT",
        "image 1: not an image: send the bytes of a file of type JPEG, PNG, GIF, BMP, WEBP",
    ),
    "no string": (
        predict(tensor("DT_STRING", (1,))), "INVALID_ARGUMENT", "tensor parsing error: images",
    ),
    "cut strings": (
        predict(tensor("DT_STRING", (2,), tensor_content=b"\xff")), "INVALID_ARGUMENT",
        "tensor parsing error: images",
    ),
    "an endless length": (
        predict(tensor("DT_STRING", (1,), tensor_content=b"\x81" + b"\x80" * 9 + b"\0A")),
        "INVALID_ARGUMENT", "tensor parsing error: images",
    ),
    "dimensions without end": (
        predict(tensor("DT_FLOAT", (1,) * 17, float_val=[1])), "INVALID_ARGUMENT",
        "input 'images' has 17 dimensions",
    ),
    "a grid of files": (
        predict(tensor("DT_STRING", (1, 2), string_val=[WHITE, WHITE])), "INVALID_ARGUMENT",
        "input 'images' has the shape [1,2], expected is [-1,1,1,1], or [-1] for image files",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_PREDICTIONS)
async def test_a_bad_prediction_is_refused(ask: Ask, name: str) -> None:
    """With the code and the text that TensorFlow Serving's clients know."""
    request, code, text = BAD_PREDICTIONS[name]

    assert (code, text) == await refusal(ask, "Predict", request)


@pytest.mark.parametrize(
    ("outputs", "text"),
    [
        (
            ["logits"],
            "output tensor alias not found in signature: logits "
            "Outputs expected to be in the set {probabilities}.",
        ),
        (["probabilities"] * 2, "duplicate output tensor alias: probabilities"),
    ],
)
async def test_a_bad_filter_is_refused(ask: Ask, outputs: list[str], text: str) -> None:
    """Before anything is computed."""
    request = predict()
    request.output_filter.extend(outputs)

    assert ("INVALID_ARGUMENT", text) == await refusal(ask, "Predict", request)


async def test_an_extra_input_is_refused(ask: Ask) -> None:
    """The text says which are too many and which are missing."""
    request = predict()
    request.inputs["x"].CopyFrom(pixels(1))
    expected = (
        "input size does not match signature: 2!=1 len({images,x}) != len({images}). "
        "Sent extra: {x}. Missing but required: {}."
    )

    assert ("INVALID_ARGUMENT", expected) == await refusal(ask, "Predict", request)


async def test_a_long_text_is_cut(ask: Ask) -> None:
    """At 1,024 characters, as TensorFlow Serving does."""
    _, text = await refusal(ask, "Predict", predict(signature_name="x" * 2000))

    assert (1024 + len("...TRUNCATED"), True) == (len(text), text.endswith("x...TRUNCATED"))


FEATURES: dict[str, dict[str, Any]] = {
    "a file": {"bytes_list": {"value": [WHITE]}},
    "floats": {"float_list": {"value": [255]}},
    "whole numbers": {"int64_list": {"value": [255]}},
}


@pytest.mark.parametrize("name", FEATURES)
async def test_examples_are_classified(ask: Ask, name: str) -> None:
    """With all classes, by index."""
    request = pb.ClassificationRequest(model_spec=TINY, input=examples(FEATURES[name]))
    (answer,) = (await ask("Classify", request)).result.classifications

    assert [("dark", 0.0), ("light", 1.0)] == [(each.label, each.score) for each in answer.classes]


async def test_examples_may_share_features(ask: Ask) -> None:
    """Those of the context."""
    given = pb.Input()
    given.example_list_with_context.examples.add()
    feature = given.example_list_with_context.context.features.feature["image/encoded"]
    feature.bytes_list.value.append(WHITE)
    answer = await ask("Classify", pb.ClassificationRequest(model_spec=TINY, input=given))

    assert 1.0 == answer.result.classifications[0].classes[1].score


BAD_EXAMPLES = {
    "none": (pb.Input(), "Input is empty."),
    "too many": (examples(*[FEATURES["a file"]] * 17), "the request has 17 images: send 1 to 16"),
    "another feature": (
        examples(FEATURES["a file"], name="x"),
        "Feature: images (data type: float32) is required but could not be found.",
    ),
    "two files": (
        examples({"bytes_list": {"value": [WHITE, WHITE]}}),
        "Feature: images has 2 values: send one image file",
    ),
    "two numbers": (
        examples({"float_list": {"value": [1, 2]}}), "Feature: images has 2 values, not 1",
    ),
    "files and numbers": (
        examples(FEATURES["a file"], FEATURES["floats"]), "Feature: images has 0 values, not 1",
    ),
    "no number": (
        examples({"float_list": {"value": [float("inf")]}}),
        "Feature: images has values that the model does not take",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_EXAMPLES)
async def test_bad_examples_are_refused(ask: Ask, name: str) -> None:
    """With a text that says what is wrong."""
    given, text = BAD_EXAMPLES[name]
    request = pb.ClassificationRequest(model_spec=TINY, input=given)

    assert ("INVALID_ARGUMENT", text) == await refusal(ask, "Classify", request)


@pytest.mark.parametrize("method", ["Classify", "Regress"])
async def test_another_signature_takes_no_examples(ask: Ask, method: str) -> None:
    """The code differs from Predict's, as TensorFlow Serving's does."""
    kind = pb.ClassificationRequest if method == "Classify" else pb.RegressionRequest
    request = kind(model_spec={"name": "tiny", "signature_name": "train"})
    expected = "No signature was found with the name: train"

    assert ("INVALID_ARGUMENT", expected) == await refusal(ask, method, request)


async def test_regress_is_refused(ask: Ask) -> None:
    """As by TensorFlow Serving for a model that is no regression."""
    request = pb.RegressionRequest(model_spec=TINY, input=examples(FEATURES["floats"]))
    expected = (
        "Expected regression signature method_name to be tensorflow/serving/regress. "
        "Was: tensorflow/serving/predict"
    )

    assert ("INVALID_ARGUMENT", expected) == await refusal(ask, "Regress", request)


def multi(*tasks: dict[str, Any]) -> Any:
    """A MultiInferenceRequest."""
    return pb.MultiInferenceRequest(tasks=tasks, input=examples(FEATURES["floats"]))


CLASSIFY = {"model_spec": TINY, "method_name": "tensorflow/serving/classify"}


async def test_several_tasks_are_answered(ask: Ask) -> None:
    """In their order; there is one that a classifier can do."""
    (result,) = (await ask("MultiInference", multi(CLASSIFY))).results
    (answer,) = result.classification_result.classifications

    assert [0.0, 1.0] == [each.score for each in answer.classes]


@pytest.mark.parametrize(
    ("request_", "code", "text"),
    [
        (multi(), "INVALID_ARGUMENT", "Inference request must have at least one task."),
        (
            multi(CLASSIFY, CLASSIFY),
            "INVALID_ARGUMENT",
            "Duplicate evaluation of signature: serving_default",
        ),
        (
            multi(CLASSIFY, {"model_spec": {"name": "cats"}}),
            "INVALID_ARGUMENT",
            "All ModelSpecs in a MultiInferenceRequest must access the same model name.",
        ),
        (
            multi({"model_spec": TINY, "method_name": "tensorflow/serving/predict"}),
            "UNIMPLEMENTED",
            "Unsupported signature method_name: tensorflow/serving/predict",
        ),
        (
            multi({"model_spec": TINY, "method_name": "tensorflow/serving/regress"}),
            "INVALID_ARGUMENT",
            "Expected regression signature method_name to be tensorflow/serving/regress. "
            "Was: tensorflow/serving/predict",
        ),
    ],
)
async def test_bad_tasks_are_refused(ask: Ask, request_: Any, code: str, text: str) -> None:
    """All of them."""
    assert (code, text) == await refusal(ask, "MultiInference", request_)


async def test_the_signature_is_described(ask: Ask) -> None:
    """As TensorFlow writes it."""
    request = pb.GetModelMetadataRequest(model_spec=TINY, metadata_field=["signature_def"])
    response = await ask("GetModelMetadata", request)
    signatures = pb.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    signature = signatures.signature_def["serving_default"]
    taken, given = signature.inputs["images"], signature.outputs["probabilities"]

    assert [(tf.DT_FLOAT, [-1, 1, 1, 1]), (tf.DT_FLOAT, [-1, 2])] == [
        (each.dtype, [dim.size for dim in each.tensor_shape.dim]) for each in (taken, given)
    ]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ([], "GetModelMetadataRequest must specify at least one metadata_field"),
        (["assets"], "Metadata field assets is not supported"),
    ],
)
async def test_other_metadata_is_refused(ask: Ask, fields: list[str], text: str) -> None:
    """Only the signatures are there."""
    request = pb.GetModelMetadataRequest(model_spec=TINY, metadata_field=fields)

    assert ("INVALID_ARGUMENT", text) == await refusal(ask, "GetModelMetadata", request)


async def test_requests_are_counted(ask: Ask, tiny: InProcessServer) -> None:
    """Under this API's name."""
    await ask("Predict", predict())
    labels = {"api": "tensorflow_serving", "method": "Predict", "model": "tiny", "code": "OK"}

    assert 1 == tiny.value("saccade_requests_total", **labels)
