"""How models are read."""

from saccade._models import (
    Evaluation,
    InputSpec,
    Model,
    ModelDetails,
    ModelVersion,
    Provenance,
    VersionState,
    read_model_details,
    read_models,
)
from saccade._results import ModelRef
from saccade.v1 import classifier_pb2 as pb
from saccade.v1 import manifest_pb2

READY = pb.ModelVersion(version=2, state=pb.VERSION_STATE_READY, labels=["stable"], engine="litert")
READY_READ = ModelVersion(
    version=2, state=VersionState.READY, reason="", labels=("stable",), engine="litert"
)


def test_models_are_read_with_their_versions() -> None:
    """And with the version that answers by default."""
    response = pb.ListModelsResponse(
        models=[pb.Model(name="digits", versions=[READY], default_version=2)]
    )

    assert (Model(name="digits", versions=(READY_READ,), default_version=2),) == read_models(
        response
    )


def test_a_model_without_a_ready_version_has_no_default() -> None:
    """The wire's 0 is no version."""
    (model,) = read_models(pb.ListModelsResponse(models=[pb.Model(name="digits")]))

    assert model.default_version is None


def test_details_are_read_whole() -> None:
    """Input, classes, figures, origin."""
    response = pb.GetModelResponse(
        model=pb.ModelSpec(name="digits", version=2),
        version=READY,
        input=manifest_pb2.InputSpec(
            height=28, width=20, color_space=manifest_pb2.COLOR_SPACE_GRAY
        ),
        class_labels=["0", "1"],
        evaluation=manifest_pb2.Evaluation(
            dataset="digits test split", samples=360, accuracy=0.99, metrics={"loss": 0.5}
        ),
        provenance=manifest_pb2.Provenance(dataset="digits", seed=7, parameters={"lr": "0.1"}),
    )

    assert ModelDetails(
        model=ModelRef(name="digits", version=2),
        version=READY_READ,
        input=InputSpec(height=28, width=20, color_space="gray"),
        class_labels=("0", "1"),
        evaluation=Evaluation(
            dataset="digits test split", samples=360, accuracy=0.99, metrics={"loss": 0.5}
        ),
        provenance=Provenance(
            dataset="digits",
            network="",
            seed=7,
            command="",
            created_at="",
            versions={},
            parameters={"lr": "0.1"},
            weights=0,
        ),
    ) == read_model_details(response)


def test_figures_that_the_artifact_lacks_are_none() -> None:
    """An accuracy of 0 would be a claim."""
    details = read_model_details(pb.GetModelResponse())

    assert (None, None) == (details.evaluation, details.provenance)


def test_the_states_are_those_of_the_api() -> None:
    """Names and numbers."""
    assert {
        name.removeprefix("VERSION_STATE_"): number for name, number in pb.VersionState.items()
    } == {state.name: state.value for state in VersionState}


def test_a_state_of_a_later_day_is_unspecified() -> None:
    """An old client lists what a new server has."""
    assert VersionState.UNSPECIFIED == VersionState(99)
