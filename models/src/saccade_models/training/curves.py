"""Learning curves for TensorBoard, while a training runs.

TensorFlow writes the event files itself; only to look at them is TensorBoard needed.
"""

from pathlib import Path
from typing import Any

from saccade_models.errors import ModelsError
from saccade_models.training.history import Epoch, History

SCALARS = "scalars"
"""The plugin of TensorBoard that draws them."""


class Curves:
    """Writes an epoch's figures: a run for each split, so that they are drawn into one chart.

    The tags are those of Keras's own callback.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, Any] = {}

    def begin(self, done: History) -> None:
        """Opens the files, in place of those of an earlier run, with the epochs that are done.

        Raises:
            ModelsError: They can't be written.
        """
        import tensorflow as tf

        try:
            for run in ("train", "validation"):
                folder = self._folder / run
                folder.mkdir(parents=True, exist_ok=True)
                for earlier in folder.glob("events.out.tfevents.*"):
                    earlier.unlink()
                self._writers[run] = tf.summary.create_file_writer(str(folder))
                self._writers[run].init()
        except (OSError, tf.errors.OpError) as error:
            raise ModelsError(f"cannot write to {self._folder}: {_reason(error)}") from error
        for epoch in done:
            self.add(epoch)

    def add(self, epoch: Epoch) -> None:
        """Writes the figures of an epoch; they can be seen at once.

        Raises:
            ModelsError: They can't be written.
        """
        figures = {
            "train": {
                "epoch_loss": epoch.loss,
                "epoch_accuracy": epoch.accuracy,
                "epoch_learning_rate": epoch.learning_rate,
            },
            "validation": {"epoch_loss": epoch.val_loss, "epoch_accuracy": epoch.val_accuracy},
        }
        import tensorflow as tf

        try:
            for run, scalars in figures.items():
                self._write(run, epoch.number, scalars)
        except tf.errors.OpError as error:
            raise ModelsError(f"cannot write to {self._folder}: {_reason(error)}") from error

    def close(self) -> None:
        """Closes the files."""
        for writer in self._writers.values():
            writer.close()

    def _write(self, run: str, step: int, scalars: dict[str, float]) -> None:
        import tensorflow as tf

        metadata = tf.compat.v1.SummaryMetadata()
        metadata.plugin_data.plugin_name = SCALARS
        with self._writers[run].as_default():
            for tag, value in scalars.items():
                tf.summary.write(tag, tf.constant(value, tf.float32), step, metadata)
            self._writers[run].flush()


def _reason(error: Exception) -> str:
    return getattr(error, "message", None) or getattr(error, "strerror", None) or str(error)
