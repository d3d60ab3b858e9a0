"""How good an artifact is on labelled images, and how far its probabilities can be trusted."""

from saccade_models.evaluation.figures import ClassFigures, Figures, measure
from saccade_models.evaluation.measuring import Evaluation, evaluate, evaluate_scaled
from saccade_models.evaluation.temperature import (
    UNSCALED,
    Temperature,
    fit_temperature,
    read_logits,
)

__all__ = [
    "UNSCALED",
    "ClassFigures",
    "Evaluation",
    "Figures",
    "Temperature",
    "evaluate",
    "evaluate_scaled",
    "fit_temperature",
    "measure",
    "read_logits",
]
