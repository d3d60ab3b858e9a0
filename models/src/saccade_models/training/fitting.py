"""Fits a network, epoch by epoch, from where the last run stopped."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from saccade_models.config import TrainingConfig
from saccade_models.datasets import Dataset
from saccade_models.progress import Progress
from saccade_models.training.checkpoints import Checkpoint, Checkpoints
from saccade_models.training.curves import Curves
from saccade_models.training.history import Epoch, History, best_epoch
from saccade_models.training.interruption import Interruption
from saccade_models.training.trainer import Arrays, Trainer

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What a training comes to.

    Attributes:
        classifier: Maps pixels 0 to 255 to logits. It knows no optimizer.
        history: All epochs, also those of earlier runs.
        epoch: The one whose weights these are.
    """

    classifier: "keras.Model"
    history: History
    epoch: Epoch


def fit(
    config: TrainingConfig,
    dataset: Dataset,
    *,
    checkpoints: Checkpoints,
    progress: Progress,
    interruption: Interruption,
    curves: Curves | None = None,
) -> Fitted:
    """Trains, keeping a checkpoint after each epoch, and goes on from one that is there.

    Seeds Python, NumPy and TensorFlow in this process, and makes TensorFlow's operations
    deterministic for good.

    Raises:
        ModelsError: The loss is no longer a number, or a checkpoint can't be read or written.
        KeyboardInterrupt: A signal came; what was finished before is kept.
    """
    trainer = Trainer(config, dataset)
    history: History = ()
    best: Arrays = []
    if config.restart:
        checkpoints.forget()
    if (last := checkpoints.load(trainer)) is not None:
        history, best = last.history, last.best
    elif others := checkpoints.others():
        progress.say(f"begins anew: what is kept in {others[0]} is of other settings or data")
    progress.begin(history, steps=trainer.steps)
    if curves is not None:
        curves.begin(history)
    while not _is_done(config, history):
        epoch = _run_epoch(trainer, len(history), progress, interruption)
        history = (*history, epoch)
        if config.patience and best_epoch(history) is epoch:
            best = trainer.read_classifier()
        checkpoints.save(Checkpoint(history=history, state=trainer.read_state(), best=best))
        if curves is not None:
            curves.add(epoch)
        progress.end_epoch(epoch)
    if config.patience:
        trainer.classifier.set_weights(best)
    chosen = best_epoch(history) if config.patience else history[-1]
    return Fitted(classifier=trainer.classifier, history=history, epoch=chosen)


def _run_epoch(
    trainer: Trainer, index: int, progress: Progress, interruption: Interruption
) -> Epoch:
    started = time.monotonic()

    def end_step() -> None:
        interruption.check()
        progress.end_step()

    loss, accuracy = trainer.train_epoch(index, end_step)
    val_loss, val_accuracy = trainer.validate()
    return Epoch(
        number=index + 1,
        loss=loss,
        accuracy=accuracy,
        val_loss=val_loss,
        val_accuracy=val_accuracy,
        learning_rate=trainer.learning_rate((index + 1) * trainer.steps - 1),
        seconds=time.monotonic() - started,
    )


def _is_done(config: TrainingConfig, history: History) -> bool:
    if len(history) >= config.epochs:
        return True
    if not (history and config.patience):
        return False
    return len(history) - best_epoch(history).number >= config.patience
