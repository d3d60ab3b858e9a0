"""The real engines, on a real artifact."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from saccade_server.artifact import Artifact, read_artifact
from saccade_server.engines import Engine, load_engine
from saccade_server.engines.mnn import convert_to_mnn
from saccade_server.engines.placement import threads_started_here
from saccade_server.errors import EngineError
from saccade_server.loading import FormStore, verify_golden
from saccade_server.loading.compile_mnn import make_mnn_form

KINDS = ("tensorflow", "litert", "mnn")
ROUNDING = {"tensorflow": 1e-5, "litert": 1e-5, "mnn": 1e-4}
"""What batches of other sizes, or another engine, may change; MNN's convolutions round more."""


@pytest.fixture(scope="module")
def digits(artifact: Path) -> Artifact:
    """The shared artifact, read."""
    return read_artifact(artifact)


@pytest.fixture(scope="module")
def forms(digits: Artifact, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The compiled ones, by their engines."""
    folder = tmp_path_factory.mktemp("forms")
    form = FormStore(folder).find(digits)
    assert form is not None
    make_mnn_form(digits, form, folder / "form.mnn")
    return {"litert": form, "mnn": folder / "form.mnn"}


@pytest.fixture(scope="module")
def engines(digits: Artifact, forms: dict[str, Path]) -> Iterator[dict[str, Engine]]:
    """One of each kind."""
    with ExitStack() as stack:
        yield {
            kind: stack.enter_context(
                closing(load_engine(digits, kind, form=forms.get(kind), threads=2))
            )
            for kind in KINDS
        }


def noise(count: int) -> NDArray[np.float32]:
    """Images of noise, as the graph takes them."""
    values = np.random.default_rng(count).integers(0, 256, (count, 28, 28, 1))
    return values.astype(np.float32)


@pytest.mark.parametrize("kind", KINDS)
def test_an_engine_reproduces_the_golden_samples(
    engines: dict[str, Engine], digits: Artifact, kind: str
) -> None:
    """Those that were computed at export."""
    assert verify_golden(digits, engines[kind]) is None  # type: ignore[func-returns-value]


def test_a_graph_without_loops_is_known_to_end(engines: dict[str, Engine]) -> None:
    """LiteRT tells; of TensorFlow's graph nobody asks."""
    assert {"tensorflow": False, "litert": True, "mnn": True} == {
        k: engines[k].bounded for k in KINDS
    }


def test_a_graph_with_a_loop_is_not_known_to_end(digits: Artifact, tmp_path: Path) -> None:
    """How often it turns depends on the image."""

    @tf.function(input_signature=[tf.TensorSpec([None, 28, 28, 1])])  # type: ignore[untyped-decorator]
    def shrink(images: tf.Tensor) -> tf.Tensor:
        (small,) = tf.while_loop(
            lambda values: tf.reduce_max(values) > 1, lambda values: [values / 2], [images]
        )
        return tf.nn.softmax(tf.reduce_mean(small, [1, 2]) * tf.ones([1, 10]))

    converter = tf.lite.TFLiteConverter.from_concrete_functions([shrink.get_concrete_function()])
    form = tmp_path / "loop.tflite"
    form.write_bytes(converter.convert())
    with closing(load_engine(digits, "litert", form=form, threads=1)) as engine:
        assert (False, (2, 10)) == (engine.bounded, engine.predict(noise(2)).shape)
    with pytest.raises(EngineError, match="MNN takes graphs without loops"):
        make_mnn_form(digits, form, tmp_path / "loop.mnn")


def test_what_mnn_cannot_convert_is_an_error(tmp_path: Path) -> None:
    """With what it said, and without a file that is half of one."""
    form = tmp_path / "form.tflite"
    form.write_bytes(b"no model")
    with pytest.raises(EngineError, match="MNN cannot take this graph"):
        convert_to_mnn(form, tmp_path / "form.mnn")

    assert [form] == list(tmp_path.iterdir())


@pytest.mark.parametrize("count", [32, 1, 3, 64, 2])
def test_all_engines_give_the_same_scores(engines: dict[str, Engine], count: int) -> None:
    """For batches of any size, in any order."""
    scores = {kind: engines[kind].predict(noise(count)) for kind in KINDS}
    off = {kind: np.abs(scores["tensorflow"] - scores[kind]).max() for kind in KINDS}

    assert [] == [kind for kind in KINDS if off[kind] >= ROUNDING[kind]]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 3])
def test_pixels_are_cast_to_the_type_of_the_graph(
    engines: dict[str, Engine], kind: str, count: int
) -> None:
    """Requests carry bytes; this graph takes floats."""
    pixels = noise(count)

    assert np.array_equal(
        engines[kind].predict(pixels), engines[kind].predict(pixels.astype(np.uint8))
    )


@pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="threads are not placed"
)
def test_a_thread_that_helps_with_a_call_keeps_off_the_callers_processor(
    digits: Artifact, forms: dict[str, Path]
) -> None:
    """The system lets both wait for one processor, after pauses, while another one is idle."""
    with threads_started_here() as started:
        engine = load_engine(digits, "litert", form=forms["litert"], threads=2)
    engine.predict(noise(1))
    placed = [os.sched_getaffinity(thread) for thread in started]
    engine.close()

    assert [len(os.sched_getaffinity(0)) - 1] == [len(processors) for processors in placed]


@pytest.mark.parametrize("kind", KINDS)
def test_each_row_sums_to_one(engines: dict[str, Engine], kind: str) -> None:
    """They are probabilities."""
    rows = engines[kind].predict(noise(5))

    assert pytest.approx(np.ones(5), abs=1e-5) == rows.sum(axis=1)


@pytest.mark.parametrize("kind", KINDS)
def test_an_image_has_the_same_scores_in_any_company(engines: dict[str, Engine], kind: str) -> None:
    """Batching changes nothing that could be seen."""
    images = noise(9)
    alone = np.concatenate([engines[kind].predict(image[np.newaxis]) for image in images])

    assert np.abs(alone - engines[kind].predict(images)).max() < ROUNDING[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_that_does_not_fit_is_an_error(engines: dict[str, Engine], kind: str) -> None:
    """Of the engine, whatever its runtime raises."""
    with pytest.raises(EngineError):
        engines[kind].predict(np.zeros((1, 5, 5, 3), np.float32))


@pytest.mark.parametrize("kind", KINDS)
def test_an_engine_that_failed_a_call_goes_on(engines: dict[str, Engine], kind: str) -> None:
    """With the scores that it gave before."""
    before = engines[kind].predict(noise(2))
    with pytest.raises(EngineError):
        engines[kind].predict(np.zeros((2, 5, 5, 3), np.float32))

    assert np.array_equal(before, engines[kind].predict(noise(2)))


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_is_not_changed_by_the_next_call(engines: dict[str, Engine], kind: str) -> None:
    """It is the caller's own: requests are answered while the engine works on."""
    first = engines[kind].predict(noise(4))
    kept = first.copy()
    engines[kind].predict(255 - noise(4))

    assert np.array_equal(kept, first)
