import numpy as np
import pytest
from numpy.typing import NDArray

from saccade.v1 import manifest_pb2
from saccade_models.datasets import Split
from saccade_models.errors import ModelsError
from saccade_models.evaluation import Temperature, evaluate, evaluate_scaled
from saccade_server.artifact import InputSpec
from saccade_server.artifact.specs import read_input_spec


class RecordingEngine:
    """An engine that gives the same probabilities to every image and remembers the batches."""

    name = "recording"
    bounded = True

    def __init__(self, *probabilities: float) -> None:
        self.batches: list[NDArray[np.uint8 | np.float32]] = []
        self._row = np.array(probabilities, np.float32)

    def predict(self, images: NDArray[np.uint8 | np.float32]) -> NDArray[np.float32]:
        self.batches.append(images)
        return np.tile(self._row, (len(images), 1))

    def close(self) -> None:
        pass


def spec(**changes: object) -> InputSpec:
    """Of a graph that takes 2 x 2 gray pixels as float32."""
    fields: dict[str, object] = {
        "height": 2,
        "width": 2,
        "color_space": manifest_pb2.COLOR_SPACE_GRAY,
        "data_type": manifest_pb2.DATA_TYPE_FLOAT32,
        "pixel_range": manifest_pb2.PixelRange(black=0, white=255),
        "resize": manifest_pb2.RESIZE_RULE_NEAREST,
    }
    return read_input_spec(manifest_pb2.InputSpec(**(fields | changes)), "test")  # type: ignore[arg-type]


def make_split(count: int, shape: tuple[int, int, int] = (2, 2, 1)) -> Split:
    """Images of class 1 whose every value is 51."""
    return Split(
        images=np.full((count, *shape), 51, np.uint8), labels=np.ones(count, dtype=np.int64)
    )


def test_every_sample_is_measured() -> None:
    """The last, smaller batch counts too."""
    engine = RecordingEngine(0.25, 0.75)

    figures = evaluate(engine, make_split(300), spec())

    assert ([(256, 2, 2, 1), (44, 2, 2, 1)], 300) == (
        [batch.shape for batch in engine.batches],
        figures.correct,
    )


def test_large_images_come_in_small_batches() -> None:
    """The memory of a network's layers grows with the pixels."""
    engine = RecordingEngine(1.0)
    large = spec(height=1024, width=1024)

    evaluate(engine, Split(images=np.zeros((5, 2, 2, 1), np.uint8), labels=np.zeros(5, int)), large)

    assert [4, 1] == [len(batch) for batch in engine.batches]


def test_images_get_the_graphs_size_and_colours() -> None:
    """By the server's own rule: nearest here."""
    engine = RecordingEngine(0.25, 0.75)

    evaluate(
        engine, make_split(1), spec(height=4, width=3, color_space=manifest_pb2.COLOR_SPACE_RGB)
    )

    assert ((1, 4, 3, 3), "float32", [51]) == (
        engine.batches[0].shape,
        str(engine.batches[0].dtype),
        np.unique(engine.batches[0]).tolist(),
    )


def test_channels_are_turned_for_a_graph_that_takes_bgr() -> None:
    """Red comes last."""
    engine = RecordingEngine(0.25, 0.75)
    split = make_split(1, (2, 2, 3))
    split.images[:][..., 0] = 200

    evaluate(engine, split, spec(color_space=manifest_pb2.COLOR_SPACE_BGR))

    assert [51, 51, 200] == engine.batches[0][0, 0, 0].tolist()


def test_pixels_get_the_graphs_range() -> None:
    """51 of 255 is a fifth of the way from black to white."""
    engine = RecordingEngine(0.25, 0.75)

    evaluate(engine, make_split(1), spec(pixel_range=manifest_pb2.PixelRange(black=-1, white=1)))

    assert pytest.approx(-0.6) == engine.batches[0].max()


def test_pixels_stay_bytes_for_a_graph_that_takes_bytes() -> None:
    """An engine refuses another data type."""
    engine = RecordingEngine(0.25, 0.75)

    evaluate(engine, make_split(1), spec(data_type=manifest_pb2.DATA_TYPE_UINT8))

    assert "uint8" == str(engine.batches[0].dtype)


def test_figures_before_the_temperature_cost_no_second_run() -> None:
    """Softmax of logits (0, 2) / 2 was served; without the temperature it is softmax(0, 2)."""
    served = 1 / (1 + np.exp(-1))
    engine = RecordingEngine(1 - served, served)

    evaluation = evaluate_scaled(
        engine, make_split(3), spec(), Temperature(value=2, reason="a test")
    )

    assert (1, pytest.approx(served), pytest.approx(1 / (1 + np.exp(-2)))) == (
        len(engine.batches),
        evaluation.served.confidences[0],
        evaluation.unscaled.confidences[0],
    )


def test_the_metrics_of_the_manifest_are_the_figures() -> None:
    """Top 5 only where there are enough classes."""
    few = evaluate_scaled(
        RecordingEngine(0.25, 0.75), make_split(9), spec(), Temperature(value=1, reason="a test")
    )
    many = evaluate_scaled(
        RecordingEngine(*[1 / 11] * 11), make_split(9), spec(), Temperature(value=1, reason="")
    )

    assert (few.served.interval, 1.0, few.served.ece, False, 1.0) == (
        (few.metrics()["accuracy_low_95"], few.metrics()["accuracy_high_95"]),
        few.metrics()["temperature"],
        few.metrics()["ece"],
        "top_5_accuracy" in few.metrics(),
        many.metrics()["top_5_accuracy"],
    )


def test_answers_that_are_no_numbers_are_refused() -> None:
    """An accuracy of NaN would pass for bad, not for broken."""
    with pytest.raises(ModelsError, match="no number"):
        evaluate(RecordingEngine(float("nan"), 1), make_split(1), spec())
