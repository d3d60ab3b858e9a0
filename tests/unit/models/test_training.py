from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saccade_models.config import TrainingConfig
from saccade_models.datasets import Dataset
from saccade_models.errors import ModelsError
from saccade_models.training.checkpoints import Checkpoints
from saccade_models.training.fitting import Fitted, fit
from saccade_models.training.history import Epoch, History, best_epoch
from saccade_models.training.interruption import Interruption


class SilentProgress:
    """Remembers what it was told; `interrupt_at` is an epoch in whose middle Ctrl-C comes."""

    def __init__(self, interrupt_at: int | None = None) -> None:
        self.done: History = ()
        self.epochs: list[Epoch] = []
        self.said: list[str] = []
        self._interrupt_at = interrupt_at

    def begin(self, done: History, *, steps: int) -> None:
        self.done = done

    def end_step(self) -> None:
        if self._interrupt_at == len(self.done) + len(self.epochs) + 1:
            raise KeyboardInterrupt

    def end_epoch(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)

    def say(self, text: str) -> None:
        self.said.append(text)

    def close(self) -> None:
        pass


def run(
    dataset: Dataset, folder: Path, progress: SilentProgress | None = None, **settings: Any
) -> Fitted:
    """A moment of training."""
    config = TrainingConfig(
        **{"output": Path("unused"), "name": "digits", "epochs": 1, "batch_size": 16, **settings}
    )
    folder.mkdir(exist_ok=True)
    return fit(
        config,
        dataset,
        checkpoints=Checkpoints(folder),
        progress=progress or SilentProgress(),
        interruption=Interruption(),
    )


def same(first: Fitted, second: Fitted) -> bool:
    """Whether two trainings came to the same weights, to the last bit."""
    pairs = zip(first.classifier.get_weights(), second.classifier.get_weights(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def figures(history: History) -> list[tuple[float, ...]]:
    """Without the seconds."""
    return [(e.loss, e.accuracy, e.val_loss, e.val_accuracy, e.learning_rate) for e in history]


def test_the_same_seed_gives_the_same_weights(few_digits: Dataset, tmp_path: Path) -> None:
    """Start, order and augmentation all hang on the seed, and every operation is deterministic."""
    first = run(few_digits, tmp_path / "a", seed=3)
    second = run(few_digits, tmp_path / "b", seed=3)

    assert same(first, second)


def test_another_seed_gives_other_weights(few_digits: Dataset, tmp_path: Path) -> None:
    """The seed is used."""
    first = run(few_digits, tmp_path / "a", seed=3)
    second = run(few_digits, tmp_path / "b", seed=4)

    assert not same(first, second)


@pytest.mark.parametrize("loss", ["cross-entropy", "mse"])
def test_training_learns(few_digits: Dataset, tmp_path: Path, loss: str) -> None:
    """After some passes over few images most of them are told apart, with either loss."""
    fitted = run(few_digits, tmp_path, epochs=12, batch_size=8, loss=loss)

    logits = fitted.classifier(few_digits.train.images[:].astype(np.float32)).numpy()

    assert np.mean(logits.argmax(axis=1) == few_digits.train.labels) > 0.7


def test_everything_on_learns_too(few_digits: Dataset, tmp_path: Path) -> None:
    """SGD, warm-up, decay, smoothing, class weights, average and patience go together."""
    fitted = run(
        few_digits, tmp_path, epochs=20, batch_size=8, optimizer="sgd", learning_rate=0.03,
        schedule="linear", warmup_epochs=1.5, weight_decay=5e-3, label_smoothing=0.1,
        class_weights="balanced", ema=0.9, patience=20,
    )  # fmt: skip

    logits = fitted.classifier(few_digits.train.images[:].astype(np.float32)).numpy()

    assert np.mean(logits.argmax(axis=1) == few_digits.train.labels) > 0.7


def test_a_training_in_bfloat16_leaves_a_network_in_float32(
    few_digits: Dataset, tmp_path: Path
) -> None:
    """What is evaluated and exported is a copy with the trained weights."""
    fitted = run(few_digits, tmp_path, epochs=12, batch_size=8, precision="bfloat16")

    logits = fitted.classifier(few_digits.train.images[:].astype(np.float32)).numpy()

    assert {"float32"} == {layer.compute_dtype for layer in fitted.classifier.layers}
    assert np.mean(logits.argmax(axis=1) == few_digits.train.labels) > 0.7


@pytest.mark.parametrize(
    "settings",
    [{}, {"optimizer": "sgd", "ema": 0.9, "patience": 5, "precision": "bfloat16"}],
    ids=["plain", "all"],
)
def test_an_interrupted_training_goes_on_to_the_same_weights(
    few_digits: Dataset, tmp_path: Path, settings: dict[str, Any]
) -> None:
    """Optimizer, order, augmentation, rate and average are those of a run without a break."""
    whole = run(few_digits, tmp_path / "whole", epochs=4, **settings)
    with pytest.raises(KeyboardInterrupt):
        run(few_digits, tmp_path / "parts", SilentProgress(interrupt_at=3), epochs=4, **settings)
    second = SilentProgress()

    parts = run(few_digits, tmp_path / "parts", second, epochs=4, **settings)

    assert (2, True) == (len(second.done), same(whole, parts))
    assert figures(whole.history) == figures(parts.history)


def test_a_finished_training_is_not_repeated(few_digits: Dataset, tmp_path: Path) -> None:
    """What failed after it, such as an export, can be tried again at once."""
    first = run(few_digits, tmp_path, epochs=2)
    again = SilentProgress()

    second = run(few_digits, tmp_path, again, epochs=2)

    assert ([], True) == (again.epochs, same(first, second))


def test_restart_begins_anew(few_digits: Dataset, tmp_path: Path) -> None:
    """What was kept of the same training goes."""
    run(few_digits, tmp_path, epochs=2)
    again = SilentProgress()

    run(few_digits, tmp_path, again, epochs=2, restart=True)

    assert ((), 2, []) == (again.done, len(again.epochs), again.said)


def test_what_is_kept_of_another_configuration_is_told_and_left_alone(
    few_digits: Dataset, tmp_path: Path
) -> None:
    """Somebody who changed a flag learns why the training does not go on."""
    run(few_digits, tmp_path / ".training-1", epochs=1)
    other = SilentProgress()

    run(few_digits, tmp_path / ".training-2", other, epochs=1, seed=2)

    assert [
        f"begins anew: what is kept in {tmp_path}/.training-1 is of other settings or data"
    ] == other.said
    assert (tmp_path / ".training-1" / "checkpoint.npz").exists()


def test_a_loss_that_is_no_number_stops_the_training(few_digits: Dataset, tmp_path: Path) -> None:
    """The text says what to try; no artifact is made of such weights."""
    with pytest.raises(ModelsError) as caught:
        run(few_digits, tmp_path, learning_rate=1e38, epochs=3)

    told = str(caught.value)
    assert told.startswith("the loss became infinite in epoch ")
    assert told.endswith(": try a learning-rate below 1e+38")


def test_patience_stops_early_and_takes_the_best_epoch(few_digits: Dataset, tmp_path: Path) -> None:
    """With a rate so low that nothing changes no epoch is better than the first, or hardly."""
    fitted = run(few_digits, tmp_path, epochs=40, patience=2, learning_rate=0.05, ema=0.0)

    waited = len(fitted.history) - fitted.epoch.number

    assert (True, 2) == (len(fitted.history) < 40, waited)
    assert best_epoch(fitted.history) == fitted.epoch
