"""Quantised forms: made with typical images, measured on the test split, refused when they lose.

Smaller weights are quicker to read and 8-bit arithmetic is quicker to do; what that costs in
accuracy differs from network to network and is measured each time.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from saccade_models.config import TrainingConfig
from saccade_models.datasets import Dataset, Split
from saccade_models.errors import ModelsError
from saccade_models.evaluation import Figures, evaluate
from saccade_server.artifact import Artifact
from saccade_server.engines import Engine, load_engine
from saccade_server.imaging import graph_values
from saccade_server.loading import Compiled, compile_form

REPRESENTATIVE_IMAGES = 200
"""Enough for the ranges of the activations; more change them little."""

MAX_DROP = 0.005
"""Fraction of the test split by which the best class may be right less often."""

SPEED_IMAGES = 32
SPEED_ROUNDS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizedFigures:
    """A quantised form beside the graph it was made from, both on the test split.

    Attributes:
        kind: "dynamic", "float16" or "int8".
        before: Of the SavedModel.
        after: Of the quantised form, on the engine that serves it.
        float_bytes: Size of the form that is not quantised.
        bytes: Size of the quantised one.
        speed_ratio: Its images/s by those of the float form, on this machine, on one thread.
    """

    kind: str
    before: Figures
    after: Figures
    float_bytes: int
    bytes: int
    speed_ratio: float

    @property
    def drop(self) -> float:
        """By how much the accuracy fell, as a fraction of the samples; negative where it rose."""
        return (self.before.correct - self.after.correct) / self.before.samples

    def metrics(self) -> dict[str, float]:
        """For the manifest's evaluation."""
        return {
            "quantized_accuracy": self.after.accuracy,
            "quantized_loss": self.after.loss,
            "quantized_size_ratio": self.bytes / self.float_bytes,
            "quantized_speed_ratio": self.speed_ratio,
        }

    def __str__(self) -> str:
        """One line for a person."""
        return (
            f"{self.kind}: test accuracy {self.after.accuracy:.2%} (float "
            f"{self.before.accuracy:.2%}), {self.bytes / 1e6:.2f} MB (float "
            f"{self.float_bytes / 1e6:.2f} MB), {self.speed_ratio:.2f} x the float form's images/s "
            f"on this machine, one thread"
        )


def quantize(
    artifact: Artifact,
    dataset: Dataset,
    config: TrainingConfig,
    *,
    exact: Compiled,
    before: Figures,
) -> tuple[Compiled, QuantizedFigures]:
    """Makes and measures the quantised form that `config.quantize` names.

    Args:
        artifact: The SavedModel with its golden samples.
        dataset: Its training split gives the typical images, its test split the figures.
        config: Which form; `seed` chooses the images; `force` takes a form that loses too much.
        exact: The form that is not quantised.
        before: The figures of the SavedModel on the test split.

    Raises:
        ModelsError: The form is right less often by more than MAX_DROP, and `force` is not set.
        EngineError: LiteRT cannot quantise the graph or run the result.
    """
    samples = typical_values(artifact, dataset.train, config.seed)
    form = compile_form(artifact, quantization=config.quantize, samples=samples)
    with _load(artifact, exact) as slow, _load(artifact, form) as quick:
        after = evaluate(quick, dataset.test, artifact.input)
        speed_ratio = compare_speed(slow, quick, dataset.test)
    figures = QuantizedFigures(
        kind=config.quantize,
        before=before,
        after=after,
        float_bytes=len(exact.data),
        bytes=len(form.data),
        speed_ratio=speed_ratio,
    )
    if figures.drop > MAX_DROP and not config.force:
        raise ModelsError(
            f"{figures.kind} is right less often by {figures.drop * 100:.2f} points on the test "
            f"split ({figures.before.accuracy:.2%}, then {figures.after.accuracy:.2%}), allowed "
            f"are {MAX_DROP * 100:g}: nothing was written; try another --quantize, or --force"
        )
    return form, figures


def typical_values(artifact: Artifact, split: Split, seed: int) -> NDArray[np.float32]:
    """Images of a split at the graph's input, at most REPRESENTATIVE_IMAGES, chosen by the seed."""
    chosen = np.random.default_rng(seed).permutation(len(split))[:REPRESENTATIVE_IMAGES]
    return graph_values(split.images[chosen], artifact.input).astype(np.float32)


def compare_speed(
    slow: Engine, quick: Engine, split: Split, clock: Callable[[], float] = time.process_time
) -> float:
    """How many times as many images/s `quick` does on a processor of this machine.

    Both run the same batch in turns; the quickest run of each counts. The clock is the processor
    time of this process: a busy machine interrupts the longer call more often, which on a clock on
    the wall made 110 times of 4.
    """
    images = split.images[:SPEED_IMAGES].astype(np.float32)
    for engine in (slow, quick):  # The first call with a shape allocates.
        engine.predict(images)
    turns = [
        (_seconds(slow, images, clock), _seconds(quick, images, clock)) for _ in range(SPEED_ROUNDS)
    ]
    return min(seconds for seconds, _ in turns) / min(seconds for _, seconds in turns)


@contextmanager
def _load(artifact: Artifact, form: Compiled) -> Iterator[Engine]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "form"
        file.write_bytes(form.data)
        with closing(load_engine(artifact, "litert", form=file)) as engine:
            yield engine


def _seconds(engine: Engine, images: NDArray[np.float32], clock: Callable[[], float]) -> float:
    started = clock()
    engine.predict(images)
    return clock() - started
