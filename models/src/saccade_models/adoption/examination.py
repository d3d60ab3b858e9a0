"""A stranger's graph under examination: run on pictures, to see what it takes and gives."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from saccade.v1 import manifest_pb2
from saccade_models.adoption.keras_files import first_line
from saccade_models.adoption.pictures import draw_pictures
from saccade_models.adoption.ranges import RANGES, Preprocessing
from saccade_models.adoption.signatures import Signature
from saccade_models.errors import ModelsError
from saccade_server.artifact import MAX_CLASSES, Artifact, ColorSpace, OutputSpec
from saccade_server.artifact.specs import InputSpec, read_input_spec
from saccade_server.engines.base import softmax
from saccade_server.engines.tensorflow import TensorFlowEngine
from saccade_server.errors import EngineError
from saccade_server.imaging import graph_values

BATCH_IMAGES = 32
SUM_ERROR = 1e-3
"""By how much a row of probabilities may miss 1: half precision inside a graph costs that much."""

RESIZES = {
    "bilinear": manifest_pb2.RESIZE_RULE_BILINEAR,
    "bicubic": manifest_pb2.RESIZE_RULE_BICUBIC,
    "nearest": manifest_pb2.RESIZE_RULE_NEAREST,
}
_COLOR_SPACES = {
    ColorSpace.GRAY: manifest_pb2.COLOR_SPACE_GRAY,
    ColorSpace.RGB: manifest_pb2.COLOR_SPACE_RGB,
    ColorSpace.BGR: manifest_pb2.COLOR_SPACE_BGR,
}
_DATA_TYPES = {
    "float32": manifest_pb2.DATA_TYPE_FLOAT32,
    "uint8": manifest_pb2.DATA_TYPE_UINT8,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """What goes into the graph, but for the range and the order of colors."""

    signature: Signature
    height: int
    width: int
    channels: int
    resize: str

    @property
    def plain(self) -> Preprocessing:
        """Pixels as they are."""
        color_space = ColorSpace.GRAY if self.channels == 1 else ColorSpace.RGB
        return Preprocessing(range=RANGES["pixels"], color_space=color_space)

    def message(self, preprocessing: Preprocessing) -> manifest_pb2.InputSpec:
        """For the manifest."""
        return manifest_pb2.InputSpec(
            signature=self.signature.name,
            name=self.signature.input,
            height=self.height,
            width=self.width,
            color_space=_COLOR_SPACES[preprocessing.color_space],
            data_type=_DATA_TYPES[self.signature.dtype],
            pixel_range=preprocessing.pixel_range,
            resize=RESIZES[self.resize],
        )

    def spec(self, preprocessing: Preprocessing) -> InputSpec:
        """For the server's own functions."""
        return read_input_spec(self.message(preprocessing), "the flags")


class Examination:
    """Runs a graph on pictures. A context manager: it holds the graph in memory.

    Args:
        folder: Of the SavedModel.
        taken: What goes in.

    Raises:
        EngineError: TensorFlow can't load the graph.
    """

    def __init__(self, folder: Path, taken: Input) -> None:
        self._taken = taken
        self._engine = TensorFlowEngine(
            Artifact(
                path=folder,
                manifest=manifest_pb2.Manifest(),
                input=taken.spec(taken.plain),
                output=OutputSpec(name=taken.signature.output, logits=False),
                class_labels=(),
            ),
            threads=0,
        )
        self.pictures = draw_pictures(taken.height, taken.width, taken.channels)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._engine.close()

    def scores(
        self, images: NDArray[np.uint8], preprocessing: Preprocessing
    ) -> NDArray[np.float32]:
        """What the graph gives for pictures.

        Args:
            images: Shape (N, H, W, C), gray or RGB, values 0 to 255.
            preprocessing: How they become numbers.

        Returns:
            Shape (N, K), probabilities or logits.

        Raises:
            ModelsError: The graph fails, or gives something else, or no numbers.
        """
        spec = self._taken.spec(preprocessing)
        if preprocessing.color_space is ColorSpace.BGR:
            images = images[..., ::-1]
        parts = []
        for start in range(0, len(images), BATCH_IMAGES):
            values = graph_values(images[start : start + BATCH_IMAGES], spec)
            parts.append(self._run(np.ascontiguousarray(values.astype(spec.dtype, copy=False))))
        return np.concatenate(parts)

    def count_classes(self) -> int:
        """Runs one picture, then several: as many classes as each row has scores.

        Raises:
            ModelsError: It is no classifier.
        """
        plain = self._taken.plain
        shapes = [self.scores(self.pictures[:count], plain).shape for count in (1, 3)]
        classes: int = shapes[0][1]
        if shapes != [(1, classes), (3, classes)]:
            raise ModelsError(f"the graph gave the shapes {shapes} for 1 and 3 images")
        said = self._taken.signature.classes
        if said not in (0, classes):
            raise ModelsError(f"the graph says that it has {said} classes, and gives {classes}")
        if not 2 <= classes <= MAX_CLASSES:
            raise ModelsError(
                f"the graph gives {classes} numbers an image: a classifier has 2 to {MAX_CLASSES:,}"
            )
        return classes

    def gives_logits(self, preprocessings: Iterable[Preprocessing], said: str = "") -> bool:
        """Whether the output needs a softmax: told by running it.

        Args:
            preprocessings: Under which the answers are looked at.
            said: "probabilities" or "logits" where a person says it.

        Raises:
            ModelsError: It is neither, or not what was said.
        """
        scores = np.concatenate([self.scores(self.pictures, each) for each in preprocessings])
        between = bool(scores.min() >= -SUM_ERROR and scores.max() <= 1 + SUM_ERROR)
        if between and bool(np.all(np.abs(scores.sum(axis=1) - 1) <= SUM_ERROR)):
            if said == "logits":
                raise ModelsError("the graph gives probabilities: its rows sum to 1; no logits")
            return False
        if said == "probabilities":
            raise ModelsError("the graph gives no probabilities: its rows do not sum to 1")
        if between and not said:
            raise ModelsError(
                "the graph gives numbers from 0 to 1 whose rows do not sum to 1, as where each "
                "class is a question of its own (sigmoid): a picture has one class here; if they "
                "are logits nevertheless, say --activation logits"
            )
        return True

    def _run(self, values: NDArray[np.uint8 | np.float32]) -> NDArray[np.float32]:
        try:
            scores = self._engine.run(values)
        except EngineError as error:
            _, height, width, channels = values.shape
            raise ModelsError(
                f"the graph fails on {len(values)} images of {height} x {width} x {channels}: "
                f"{first_line(error)}"
            ) from error
        if scores.ndim != 2 or len(scores) != len(values):
            raise ModelsError(
                f"the graph gives the shape {scores.shape} for {len(values)} images, not a row of "
                "scores for each"
            )
        if not np.all(np.isfinite(scores)):
            raise ModelsError("the graph gives scores that are no numbers (NaN or infinite)")
        return scores


def probabilities_of(scores: NDArray[np.float32], *, logits: bool) -> NDArray[np.float32]:
    """Shape (N, K) each; by a softmax where the scores are logits."""
    return softmax(scores) if logits else scores
