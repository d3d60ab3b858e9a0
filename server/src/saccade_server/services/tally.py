"""What is counted of one version's images."""

import numpy as np
from numpy.typing import NDArray

from saccade_server.errors import InvalidArgument
from saccade_server.metrics import Metrics, Value
from saccade_server.registry import LoadedVersion


class VersionTally:
    """The series of one version, looked up once and not for each image.

    Args:
        metrics: Where they are.
        version: Whose they are.
    """

    __slots__ = ("_classes", "_confidence", "_errors", "_labels", "_ok", "_predictions", "done")

    def __init__(self, metrics: Metrics, version: LoadedVersion) -> None:
        self._labels = version.model, str(version.version)
        self._classes = version.artifact.class_labels
        self._ok = metrics.images.labels(*self._labels, "ok")
        self._errors = metrics.images
        self._confidence = metrics.prediction_confidence.labels(*self._labels)
        self._predictions = _ByClass(metrics, self._labels, self._classes)
        self.done = metrics.statistics(*self._labels)

    def add_scores(self, probabilities: NDArray[np.float32]) -> None:
        """Counts images that were classified; shape (n, K)."""
        self._ok.inc(len(probabilities))
        if len(probabilities) == 1:
            row = probabilities[0]
            index = int(row.argmax())
            self._add_one(index, row.item(index))
        else:
            indices = probabilities.argmax(axis=1).tolist()
            for index, confidence in zip(indices, probabilities.max(axis=1).tolist(), strict=True):
                self._add_one(index, confidence)

    def _add_one(self, index: int, confidence: float) -> None:
        self._confidence.observe(confidence)
        self._predictions[index].inc()

    def add_error(self, error: InvalidArgument) -> None:
        """Counts an image that was not."""
        self._errors.labels(*self._labels, error.code.name).inc()


class _ByClass(dict[int, Value]):
    """The counter of each class that was seen; a model may have thousands that never are."""

    def __init__(self, metrics: Metrics, labels: tuple[str, str], classes: tuple[str, ...]) -> None:
        super().__init__()
        self._metric = metrics.predictions
        self._labels = labels
        self._classes = classes

    def __missing__(self, index: int) -> Value:
        series = self[index] = self._metric.labels(*self._labels, self._classes[index])
        return series
