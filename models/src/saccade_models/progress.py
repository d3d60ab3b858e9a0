"""The progress bar of a training."""

from typing import Any

import keras
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


class ProgressBar(keras.callbacks.Callback):  # type: ignore[misc]  # keras ships no types
    """Shows epochs, loss, validation accuracy and the time left on stderr.

    Writes nothing where stderr is no terminal.
    """

    def __init__(self, *, epochs: int, steps: int) -> None:
        super().__init__()
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("epoch {task.fields[epoch]}/" + str(epochs)),
            BarColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("train", total=epochs * steps, epoch=1, figures="")

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Draws the empty bar."""
        self._progress.start()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Counts the epoch."""
        self._progress.update(self._task, epoch=epoch + 1)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Moves on by a step."""
        self._progress.advance(self._task)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Shows the figures of the epoch."""
        logs = logs or {}
        figures = f"loss {logs['loss']:.4f}, validation accuracy {logs['val_accuracy']:.2%}"
        self._progress.update(self._task, figures=figures)

    def close(self) -> None:
        """Leaves the bar as it is and gives the terminal back."""
        self._progress.stop()
