"""Runs a graph over a split, batch by batch."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saccade_models.datasets import Split
from saccade_models.errors import ModelsError
from saccade_models.evaluation.figures import Figures, join, measure
from saccade_models.evaluation.reading import fit_batch, read_batches
from saccade_models.evaluation.temperature import Temperature, soften
from saccade_server.artifact import InputSpec
from saccade_server.engines import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A graph on a split, as it is served and as it would be without its temperature.

    Attributes:
        served: Of the probabilities that callers get.
        unscaled: Of the same answers at temperature 1.
        temperature: What the graph divides its logits by, and why.
    """

    served: Figures
    unscaled: Figures
    temperature: Temperature

    def metrics(self) -> dict[str, float]:
        """For the manifest's evaluation, next to the accuracy."""
        low, high = self.served.interval
        figures = {
            "accuracy_low_95": low,
            "accuracy_high_95": high,
            "loss": self.served.loss,
            "loss_unscaled": self.unscaled.loss,
            "ece": self.served.ece,
            "ece_unscaled": self.unscaled.ece,
            "temperature": self.temperature.value,
            "macro_f1": self.served.macro_f1,
        }
        if self.served.top_5 is not None:
            figures["top_5_accuracy"] = self.served.top_5
        return figures


def evaluate(engine: Engine, split: Split, spec: InputSpec) -> Figures:
    """Runs a graph over a split, once.

    Raises:
        ModelsError: An answer is not a number.
        EngineError: The engine failed.
    """
    return join([measure(*batch) for batch in _answers(engine, split, spec)])


def evaluate_scaled(
    engine: Engine,
    split: Split,
    spec: InputSpec,
    temperature: Temperature,
    class_of: NDArray[np.int64] | None = None,
) -> Evaluation:
    """Like `evaluate`, and also what the answers were without the graph's temperature.

    Each image is run once: logits follow from probabilities.

    Args:
        engine: What answers.
        split: Labelled images.
        spec: What the graph takes.
        temperature: What it divides its logits by.
        class_of: Shape (K,), the graph's index of each class of the split; None: the same.
    """
    served, unscaled = [], []
    for probabilities, given in _answers(engine, split, spec):
        labels = given if class_of is None else class_of[given]
        served.append(measure(probabilities, labels))
        unscaled.append(
            served[-1]
            if temperature.value == 1
            else measure(soften(probabilities, 1 / temperature.value), labels)
        )
    return Evaluation(served=join(served), unscaled=join(unscaled), temperature=temperature)


def _answers(
    engine: Engine, split: Split, spec: InputSpec
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
    values, everything = math.prod(spec.shape), np.arange(len(split))
    for images, labels in read_batches(split, everything, image_values=values):
        probabilities = engine.predict(fit_batch(images, spec))
        if not np.isfinite(probabilities).all():
            raise ModelsError("the graph answers with what is no number: its weights are damaged")
        yield probabilities, labels
