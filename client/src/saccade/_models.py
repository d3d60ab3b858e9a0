"""What `list_models` and `get_model` give back, and how it is read from answers."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from saccade._results import ModelRef
from saccade.v1 import classifier_pb2 as pb
from saccade.v1 import manifest_pb2


class VersionState(enum.Enum):
    """Where a version stands in its life; the numbers are those of the API."""

    UNSPECIFIED = 0
    LOADING = 1
    READY = 2
    UNLOADING = 3
    FAILED = 4

    @classmethod
    def _missing_(cls, value: object) -> "VersionState":
        # A state of a later day.
        return cls.UNSPECIFIED


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """One trained instance of a model.

    Attributes:
        reason: Why it is in this state; empty when it is ready.
        labels: Movable names that point at it, such as "stable".
        engine: "mnn", "litert" or "tensorflow"; empty until loaded.
    """

    version: int
    state: VersionState
    reason: str
    labels: tuple[str, ...]
    engine: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model with its versions, newest first.

    Attributes:
        default_version: What answers a request that names none; None while none is ready.
    """

    name: str
    versions: tuple[ModelVersion, ...]
    default_version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """What the model's graph takes; images of any size and color are brought to it.

    Attributes:
        height: Rows.
        width: Columns.
        color_space: "gray", "rgb" or "bgr".
    """

    height: int
    width: int
    color_space: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How good the version was when it was made.

    Attributes:
        dataset: Such as "digits test split".
        samples: Images in it.
        accuracy: Fraction of them whose best class is right, 0 to 1.
        metrics: Further figures by their usual names.
    """

    dataset: str
    samples: int
    accuracy: float
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where the version comes from.

    Attributes:
        command: The command line that made it.
        created_at: RFC 3339, UTC.
        versions: Version by package name.
        parameters: Hyperparameters by name.
        weights: Trainable and other weights of the network.
    """

    dataset: str
    network: str
    seed: int
    command: str
    created_at: str
    versions: Mapping[str, str]
    parameters: Mapping[str, str]
    weights: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDetails:
    """One version of one model in detail.

    Attributes:
        class_labels: By index.
        evaluation: None where the artifact says nothing of it.
        provenance: None where the artifact says nothing of it.
    """

    model: ModelRef
    version: ModelVersion
    input: InputSpec
    class_labels: tuple[str, ...]
    evaluation: Evaluation | None
    provenance: Provenance | None


def read_models(response: pb.ListModelsResponse) -> tuple[Model, ...]:
    """The typed form of the list of models."""
    return tuple(
        Model(
            name=model.name,
            versions=tuple(map(_version, model.versions)),
            default_version=model.default_version or None,
        )
        for model in response.models
    )


def read_model_details(response: pb.GetModelResponse) -> ModelDetails:
    """The typed form of one version's details."""
    return ModelDetails(
        model=ModelRef(name=response.model.name, version=response.model.version),
        version=_version(response.version),
        input=_input(response.input),
        class_labels=tuple(response.class_labels),
        evaluation=_evaluation(response.evaluation) if response.HasField("evaluation") else None,
        provenance=_provenance(response.provenance) if response.HasField("provenance") else None,
    )


def _version(version: pb.ModelVersion) -> ModelVersion:
    return ModelVersion(
        version=version.version,
        state=VersionState(version.state),
        reason=version.reason,
        labels=tuple(version.labels),
        engine=version.engine,
    )


def _input(spec: manifest_pb2.InputSpec) -> InputSpec:
    colors = {
        manifest_pb2.COLOR_SPACE_GRAY: "gray",
        manifest_pb2.COLOR_SPACE_RGB: "rgb",
        manifest_pb2.COLOR_SPACE_BGR: "bgr",
    }
    return InputSpec(
        height=spec.height, width=spec.width, color_space=colors.get(spec.color_space, "unknown")
    )


def _evaluation(found: manifest_pb2.Evaluation) -> Evaluation:
    return Evaluation(
        dataset=found.dataset,
        samples=found.samples,
        accuracy=found.accuracy,
        metrics=dict(found.metrics),
    )


def _provenance(found: manifest_pb2.Provenance) -> Provenance:
    return Provenance(
        dataset=found.dataset,
        network=found.network,
        seed=found.seed,
        command=found.command,
        created_at=found.created_at,
        versions=dict(found.versions),
        parameters=dict(found.parameters),
        weights=found.weights,
    )
