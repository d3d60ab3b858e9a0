"""What a report tells."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from saccade.v1 import manifest_pb2
from saccade_models.datasets import Split
from saccade_models.evaluation import Evaluation, Figures
from saccade_models.evaluation.reading import read_images
from saccade_models.training.history import Epoch

MAX_MISTAKES = 24


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mistake:
    """A wrong answer.

    Attributes:
        position: Of the image in the split, from 0.
        truth: The true class index.
        predicted: The answered one.
        confidence: The answered class's probability.
        of_truth: The true class's.
        pixels: The image as the data set has it: shape (H, W, 1) or (H, W, 3), gray or RGB.
    """

    position: int
    truth: int
    predicted: int
    confidence: float
    of_truth: float
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Report:
    """A model on a split, and where the model comes from.

    Attributes:
        model: Its name.
        class_labels: By index. They may hold any text.
        dataset: What was evaluated on.
        split: Which part of it: "test" or "validation".
        engine: What computed the answers.
        evaluation: The figures.
        mistakes: The surest wrong answers, at most MAX_MISTAKES.
        provenance: How the artifact was made.
        history: The training's epochs; none where it is not known.
        exported_epoch: The number of the epoch whose weights these are; 0 where it is not known.
    """

    model: str
    class_labels: tuple[str, ...]
    dataset: str
    split: str
    engine: str
    evaluation: Evaluation
    mistakes: tuple[Mistake, ...]
    provenance: manifest_pb2.Provenance
    history: Sequence[Epoch] = ()
    exported_epoch: int = 0


def collect_mistakes(figures: Figures, split: Split) -> tuple[Mistake, ...]:
    """The surest wrong answers with their images, at most MAX_MISTAKES."""
    positions = figures.worst(MAX_MISTAKES)
    return tuple(
        Mistake(
            position=int(position),
            truth=int(figures.labels[position]),
            predicted=int(figures.predicted[position]),
            confidence=float(figures.confidences[position]),
            of_truth=float(figures.of_truth[position]),
            pixels=read_images(split, positions[number : number + 1])[0],
        )
        for number, position in enumerate(positions)
    )
