"""What the protocol's clients are told of the server, of models, and of what these have done."""

from collections.abc import Iterable
from importlib.metadata import version as package_version
from typing import Any

from saccade_server.metrics.statistics import Total, VersionStatistics
from saccade_server.protocols import inference_pb as pb
from saccade_server.registry import LoadedVersion, State, Version
from saccade_server.services.inference.tensors import datatype_of

SERVICE = "inference.GRPCInferenceService"

PRIORITY_LEVELS = 2
"""1 is urgent, 2 is everything else."""

EXTENSIONS = (
    "binary_tensor_data",
    "classification",
    "model_configuration",
    "model_repository",
    "parameters",
    "schedule_policy",
    "statistics",
)

_PLATFORM = "tensorflow_savedmodel"

_STATES = {
    State.WAITING: "UNAVAILABLE",
    State.LOADING: "LOADING",
    State.READY: "READY",
    State.UNLOADING: "UNLOADING",
    State.FAILED: "UNAVAILABLE",
    State.UNLOADED: "UNAVAILABLE",
}


def describe_server() -> Any:
    """The answer of ServerMetadata."""
    return pb.ServerMetadataResponse(
        name="saccade", version=package_version("saccade-server"), extensions=EXTENSIONS
    )


def describe_model(version: LoadedVersion, versions: Iterable[Version]) -> Any:
    """The answer of ModelMetadata.

    Args:
        version: That was asked for.
        versions: All of the model.
    """
    artifact = version.artifact
    response = pb.ModelMetadataResponse(
        name=version.model,
        versions=sorted((str(each.version) for each in versions if each.ready), key=int),
        platform=_PLATFORM,
    )
    response.inputs.add(
        name=artifact.input.name,
        datatype=datatype_of(artifact.input),
        shape=(-1, *artifact.input.shape),
    )
    response.outputs.add(
        name=artifact.output.name, datatype="FP32", shape=(-1, len(artifact.class_labels))
    )
    return response


def describe_config(version: LoadedVersion, max_images: int) -> Any:
    """The answer of ModelConfig.

    Args:
        version: That was asked for.
        max_images: In one request.
    """
    artifact = version.artifact
    response = pb.ModelConfigResponse()
    config = response.config
    config.name, config.platform, config.backend = version.model, _PLATFORM, version.engine
    config.version_policy.specific.versions.append(version.version)
    config.max_batch_size = max_images
    config.input.add(
        name=artifact.input.name,
        data_type=f"TYPE_{datatype_of(artifact.input)}",
        format="FORMAT_NHWC",
        dims=artifact.input.shape,
    )
    config.output.add(
        name=artifact.output.name, data_type="TYPE_FP32", dims=[len(artifact.class_labels)]
    )
    config.dynamic_batching.priority_levels = PRIORITY_LEVELS
    config.dynamic_batching.default_priority_level = PRIORITY_LEVELS
    config.dynamic_batching.default_queue_policy.allow_timeout_override = True
    config.instance_group.add(name=version.model, kind="KIND_CPU", count=1)
    return response


def add_statistics(response: Any, version: LoadedVersion, done: VersionStatistics) -> None:
    """Adds a version to the answer of ModelStatistics."""
    stats = response.model_stats.add(
        name=version.model,
        version=str(version.version),
        last_inference=round(done.last_s * 1000),
        inference_count=done.images,
        execution_count=sum(total.count for total in done.batches.values()),
    )
    for name, total in (
        ("success", done.success),
        ("fail", done.failure),
        ("queue", done.queue),
        ("compute_input", done.decode),
        ("compute_infer", done.inference),
    ):
        _set_total(getattr(stats.inference_stats, name), total)
    for images, total in sorted(done.batches.items()):
        _set_total(stats.batch_stats.add(batch_size=images).compute_infer, total)


def add_to_index(response: Any, version: Version) -> None:
    """Adds a version to the answer of RepositoryIndex."""
    reason = "unloaded" if version.state is State.UNLOADED else version.reason
    response.models.add(
        name=version.model,
        version=str(version.version),
        state=_STATES[version.state],
        reason=reason,
    )


def _set_total(target: Any, total: Total) -> None:
    target.count, target.ns = total.count, round(total.seconds * 1e9)
