"""Reports of made-up answers."""

from collections.abc import Callable

import numpy as np
import pytest

from saccade.v1 import manifest_pb2
from saccade_models.datasets import Split
from saccade_models.evaluation import Evaluation, Temperature, measure
from saccade_models.evaluation.temperature import soften
from saccade_models.report import Report, collect_mistakes
from saccade_models.training.history import Epoch

MakeReport = Callable[..., Report]


@pytest.fixture(scope="session")
def make_report() -> MakeReport:
    """A report: (class labels, samples=..., shape=..., epochs=..., command=...)."""

    def make(
        class_labels: tuple[str, ...],
        samples: int = 200,
        shape: tuple[int, int, int] = (8, 8, 1),
        epochs: int = 3,
        command: str = "saccade-models train",
    ) -> Report:
        random, classes = np.random.default_rng(5), len(class_labels)
        labels = random.integers(0, classes, samples)
        powers = np.exp(random.normal(size=(samples, classes)) + 2 * np.eye(classes)[labels])
        served = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
        images = random.integers(0, 256, (samples, *shape)).astype(np.uint8)
        evaluation = Evaluation(
            served=measure(served, labels),
            unscaled=measure(soften(served, 0.5), labels),
            temperature=Temperature(value=2, reason="fitted on 90 images"),
        )
        return Report(
            model="flowers",
            class_labels=class_labels,
            dataset="photographs",
            split="test",
            engine="litert",
            evaluation=evaluation,
            mistakes=collect_mistakes(evaluation.served, Split(images=images, labels=labels)),
            provenance=manifest_pb2.Provenance(
                network="cnn", dataset="photographs", seed=3, command=command, weights=12345
            ),
            history=[_epoch(number) for number in range(1, epochs + 1)],
            exported_epoch=epochs,
        )

    return make


def _epoch(number: int) -> Epoch:
    return Epoch(
        number=number,
        loss=1 / number,
        accuracy=1 - 0.5 / number,
        val_loss=1.1 / number,
        val_accuracy=1 - 0.6 / number,
        learning_rate=0.001,
        seconds=2.5,
    )
