"""Evaluates an artifact that is there: what `saccade-models evaluate` does."""

import math
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from saccade_models.datasets import Dataset
from saccade_models.errors import ConfigError, ModelsError
from saccade_models.evaluation import UNSCALED, Temperature, evaluate_scaled
from saccade_models.quiet import drop_native_chatter, load_tensorflow
from saccade_models.report import Report, collect_mistakes
from saccade_server.artifact import Artifact, inside, saved_model_sha256
from saccade_server.engines import Engine, load_engine
from saccade_server.engines.mnn import has_mnn

SHOWN_LABELS = 5


def evaluate_artifact(artifact: Artifact, dataset: Dataset, split: str) -> Report:
    """Runs what a server would run of an artifact over a split of a data set, once.

    Images are brought to the graph's size, colours and range by the server's own rule.

    Args:
        artifact: Of any origin.
        dataset: Of the same classes; their order may differ.
        split: "test" or "validation".

    Raises:
        ConfigError: The data set has other classes.
        ModelsError: The answers are no numbers, or the manifest's temperature is impossible.
        EngineError: The graph can't be loaded or run.
    """
    images = {"test": dataset.test, "validation": dataset.validation}[split]
    class_of = match_classes(artifact.class_labels, dataset)
    temperature = read_temperature(artifact)
    with closing(load_served(artifact)) as engine:
        evaluation = evaluate_scaled(engine, images, artifact.input, temperature, class_of)
        name = engine.name
    return Report(
        model=artifact.manifest.model,
        class_labels=artifact.class_labels,
        dataset=dataset.name,
        split=split,
        engine=name,
        evaluation=evaluation,
        mistakes=collect_mistakes(evaluation.served, images),
        provenance=artifact.manifest.provenance,
    )


def match_classes(class_labels: tuple[str, ...], dataset: Dataset) -> NDArray[np.int64]:
    """The artifact's index of each class of the data set, by the classes' labels.

    Raises:
        ConfigError: They are not the same classes; the text names some that differ.
    """
    ours, theirs = set(class_labels), set(dataset.class_labels)
    if len(ours) != len(class_labels) and class_labels != dataset.class_labels:
        raise ConfigError("dataset cannot be matched: the artifact has a class label twice")
    if ours != theirs or len(class_labels) != len(dataset.class_labels):
        parts = [
            f"{who} lacks {_listed(missing)}"
            for who, missing in [("the artifact", theirs - ours), (dataset.name, ours - theirs)]
            if missing
        ]
        raise ConfigError(
            f"dataset has other classes ({len(dataset.class_labels)}) than the artifact "
            f"({len(class_labels)}): {'; '.join(parts)}"
        )
    if class_labels == dataset.class_labels:
        return np.arange(len(class_labels))
    index = {label: number for number, label in enumerate(class_labels)}
    return np.array([index[label] for label in dataset.class_labels])


def read_temperature(artifact: Artifact) -> Temperature:
    """What the artifact's graph divides its logits by, as its manifest says.

    Raises:
        ModelsError: It is not a number above 0.
    """
    metrics = artifact.manifest.evaluation.metrics
    if "temperature" not in metrics:
        return UNSCALED
    value = metrics["temperature"]
    if not (math.isfinite(value) and value > 0):
        raise ModelsError(f"{artifact.path}: the manifest's temperature is {value:g}, not above 0")
    return Temperature(value=value, reason="the artifact's")


def load_served(artifact: Artifact) -> Engine:
    """The quickest form that the artifact brings, or else its SavedModel.

    Raises:
        EngineError: It can't be loaded.
    """
    source = saved_model_sha256(artifact.path)
    forms = [form for form in artifact.manifest.compiled if form.source_sha256 == source]
    for kind in ("mnn", "litert") if has_mnn() else ("litert",):
        for file in (inside(artifact.path, form.path) for form in forms if form.engine == kind):
            if file.is_file():
                with drop_native_chatter():
                    return load_engine(artifact, kind, form=file)
    load_tensorflow()
    return load_engine(artifact, "tensorflow")


def _listed(labels: set[str]) -> str:
    shown = ", ".join(map(repr, sorted(labels)[:SHOWN_LABELS]))
    return f"{shown}{', ...' if len(labels) > SHOWN_LABELS else ''}"
