"""`tensorflow.serving.PredictionService`: predictions, and what can be asked for."""

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade_server.artifact import InputSpec
from saccade_server.errors import FailedPrecondition, InvalidArgument, Unimplemented
from saccade_server.metrics import Metrics
from saccade_server.protocols import tensorflow_serving_pb as pb
from saccade_server.registry import LoadedVersion, Registry
from saccade_server.services.call import Call
from saccade_server.services.classification import ImagePath
from saccade_server.services.tfserving.examples import read_examples
from saccade_server.services.tfserving.metadata import (
    CLASSIFY,
    PREDICT,
    REGRESS,
    describe_signatures,
)
from saccade_server.services.tfserving.specs import find_version, named, set_spec, signature_name
from saccade_server.services.tfserving.tensors import Values, read_input, write_scores

SIGNATURE_DEF = "signature_def"
_MAX_TOLD = 100
"""Of the inputs that a request names; more are counted only."""


class PredictionService:
    """Check, delegate, reply.

    Args:
        registry: Of the models.
        images: The way of images and of ready-made values.
        metrics: Where the time of writing answers is shown.
        max_request_images: In one request.
    """

    def __init__(
        self, registry: Registry, images: ImagePath, metrics: Metrics, *, max_request_images: int
    ) -> None:
        self._registry = registry
        self._images = images
        self._encode_seconds = metrics.stage_seconds.labels("encode")
        self._max_images = max_request_images

    async def predict(self, request: Any, call: Call) -> Any:
        """Answers Predict."""
        version = self._find(request, call)
        signature = signature_name(request.model_spec, version)
        _check_inputs(request.inputs, version)
        wanted = _wanted_outputs(request.output_filter, version)
        spec = version.artifact.input
        content = read_input(request.inputs[spec.name], spec.name, spec, self._max_images)
        scores = await self._score(content, version, call)
        started = time.perf_counter()
        response = pb.PredictResponse()
        set_spec(response.model_spec, version, signature)
        for name in wanted:
            write_scores(response.outputs[name], scores)
        self._encode_seconds.observe(time.perf_counter() - started)
        return response

    async def classify(self, request: Any, call: Call) -> Any:
        """Answers Classify."""
        version = self._find(request, call)
        response = pb.ClassificationResponse()
        set_spec(response.model_spec, version, _example_signature(request.model_spec, version))
        await self._classify(request.input, version, response.result, call)
        return response

    async def regress(self, request: Any, call: Call) -> Any:
        """Answers Regress: with the refusal of a signature that classifies."""
        _example_signature(request.model_spec, self._find(request, call))
        raise _no_regression()

    async def multi_inference(self, request: Any, call: Call) -> Any:
        """Answers MultiInference."""
        self._check_tasks(request.tasks)
        response = pb.MultiInferenceResponse()
        for task in request.tasks:
            version = self._find(task, call)
            signature = _example_signature(task.model_spec, version)
            if task.method_name == REGRESS:
                raise _no_regression()
            if task.method_name != CLASSIFY:
                raise Unimplemented(f"Unsupported signature method_name: {task.method_name}")
            result = response.results.add()
            set_spec(result.model_spec, version, signature)
            await self._classify(request.input, version, result.classification_result, call)
        return response

    async def get_model_metadata(self, request: Any, call: Call) -> Any:
        """Answers GetModelMetadata."""
        named(request)
        if not request.metadata_field:
            raise InvalidArgument(
                "GetModelMetadataRequest must specify at least one metadata_field"
            )
        for field in request.metadata_field:
            if field != SIGNATURE_DEF:
                raise InvalidArgument(f"Metadata field {field} is not supported")
        version = self._find(request, call)
        response = pb.GetModelMetadataResponse()
        set_spec(response.model_spec, version)
        response.metadata[SIGNATURE_DEF].Pack(describe_signatures(version.artifact))
        return response

    def input_of(self, request: Any, call: Call) -> InputSpec:
        """What the graph takes that a request's model_spec names; for JSON, which has no types.

        The request then names the version: where traffic is split, another one could answer.

        Raises:
            InvalidArgument: The signature is unknown.
            SaccadeError: As `find_version`.
        """
        version = self._find(request, call)
        request.model_spec.version.value = version.version
        try:
            signature_name(request.model_spec, version)
        except FailedPrecondition:
            raise InvalidArgument(
                f'Serving signature name: "{request.model_spec.signature_name}" '
                "not found in signature def"
            ) from None
        return version.artifact.input

    def _find(self, request: Any, call: Call) -> LoadedVersion:
        if not call.request_id:  # One choice for all tasks of a request.
            call.identify("")
        version = find_version(self._registry, request, call.traffic_key)
        call.model = version.model
        return version

    async def _score(
        self, content: list[bytes] | Values, version: LoadedVersion, call: Call
    ) -> NDArray[np.float32]:
        """Shape (n, K): a call of this API has one answer, so one bad image makes it fail."""
        if not isinstance(content, list):
            return (await self._images.classify_values(content, version, call)).probabilities
        classified = await self._images.classify(content, version, call)
        for index, error in enumerate(classified.errors):
            if error is not None:
                raise InvalidArgument(f"image {index}: {error.message}")
        return classified.probabilities

    async def _classify(
        self, examples: Any, version: LoadedVersion, result: Any, call: Call
    ) -> None:
        """Fills in a ClassificationResult: all classes of each example, by index."""
        content = read_examples(examples, version.artifact.input, self._max_images)
        for row in (await self._score(content, version, call)).tolist():
            add = result.classifications.add().classes.add
            for label, score in zip(version.artifact.class_labels, row, strict=True):
                add(label=label, score=score)

    def _check_tasks(self, tasks: Any) -> None:
        if not tasks:
            raise InvalidArgument("Inference request must have at least one task.")
        names = {named(task).name for task in tasks}
        if len(names) > 1:
            raise InvalidArgument(
                "All ModelSpecs in a MultiInferenceRequest must access the same model name."
            )
        seen: set[str] = set()
        for task in tasks:
            signature = task.model_spec.signature_name or "serving_default"
            if signature in seen:
                raise InvalidArgument(f"Duplicate evaluation of signature: {signature}")
            seen.add(signature)


def _check_inputs(inputs: Any, version: LoadedVersion) -> None:
    name = version.artifact.input.name
    if len(inputs) > _MAX_TOLD:
        raise InvalidArgument(f"input size does not match signature: {len(inputs)}!=1")
    if len(inputs) != 1:
        sent = sorted(inputs)
        extra = ",".join(each for each in sent if each != name)
        missing = "" if name in sent else name
        raise InvalidArgument(
            f"input size does not match signature: {len(sent)}!=1 len({{{','.join(sent)}}}) != "
            f"len({{{name}}}). Sent extra: {{{extra}}}. Missing but required: {{{missing}}}."
        )
    if name not in inputs:
        raise InvalidArgument(
            f"Signature input alias: {name} not found in request and no default value provided. "
            f"Inputs expected to be in the request {{{','.join(sorted(inputs))}}}"
        )


def _wanted_outputs(output_filter: Any, version: LoadedVersion) -> list[str]:
    name = version.artifact.output.name
    for index, alias in enumerate(output_filter):
        if alias != name:
            raise InvalidArgument(
                f"output tensor alias not found in signature: {alias} "
                f"Outputs expected to be in the set {{{name}}}."
            )
        if index:
            raise InvalidArgument(f"duplicate output tensor alias: {alias}")
    return [name]


def _example_signature(spec: Any, version: LoadedVersion) -> str:
    try:
        return signature_name(spec, version)
    except FailedPrecondition:
        # Another code than Predict's: so it is in TensorFlow Serving.
        raise InvalidArgument(
            f"No signature was found with the name: {spec.signature_name}"
        ) from None


def _no_regression() -> InvalidArgument:
    return InvalidArgument(
        f"Expected regression signature method_name to be {REGRESS}. Was: {PREDICT}"
    )
