"""How far a training is, on stderr: a bar on a terminal, a line an epoch elsewhere."""

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from saccade_models.training.history import Epoch, History


class Progress(Protocol):
    """Who is told."""

    def begin(self, done: History, *, steps: int) -> None:
        """The training begins, or goes on after some epochs; each has so many steps."""

    def end_step(self) -> None:
        """A batch has been trained on."""

    def end_epoch(self, epoch: Epoch) -> None:
        """An epoch is over, and kept."""

    def say(self, text: str) -> None:
        """Something that the person should know."""

    def close(self) -> None:
        """There will be no more; the terminal is given back."""


def build_progress(epochs: int) -> Progress:
    """What suits stderr."""
    console = Console(stderr=True)
    return ProgressBar(epochs, console) if console.is_terminal else ProgressLines(epochs)


class ProgressBar:
    """Shows epochs, loss, validation accuracy and the time left."""

    def __init__(self, epochs: int, console: Console) -> None:
        self._epochs = epochs
        self._bar = Bar(
            TextColumn("epoch {task.fields[epoch]}/" + str(epochs)),
            BarColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._bar.add_task("train", total=None, epoch=1, figures="")

    def begin(self, done: History, *, steps: int) -> None:
        """Draws the bar."""
        if done:
            self.say(_going_on(done, self._epochs))
        number = min(len(done) + 1, self._epochs)
        self._bar.reset(self._task, total=self._epochs * steps, epoch=number, figures="")
        # Reset and moved on at once: what an earlier run did is no measure of this one's speed.
        self._bar.update(self._task, completed=len(done) * steps)
        self._bar.start()

    def end_step(self) -> None:
        """Moves on by a step."""
        self._bar.advance(self._task)

    def end_epoch(self, epoch: Epoch) -> None:
        """Shows the figures of the epoch, and counts."""
        figures = f"loss {epoch.loss:.4f}, validation accuracy {epoch.val_accuracy:.2%}"
        number = min(epoch.number + 1, self._epochs)
        self._bar.update(self._task, figures=figures, epoch=number)

    def say(self, text: str) -> None:
        """Writes above the bar."""
        self._bar.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def close(self) -> None:
        """Leaves the bar as it is."""
        self._bar.stop()


class ProgressLines:
    """Writes a line an epoch, for logs and for those who watch them."""

    def __init__(
        self,
        epochs: int,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._epochs = epochs
        self._stream = stream or sys.stderr
        self._clock = clock
        self._started, self._before = clock(), 0

    def begin(self, done: History, *, steps: int) -> None:
        """Starts the clock."""
        self._started, self._before = self._clock(), len(done)
        if done:
            self.say(_going_on(done, self._epochs))

    def end_step(self) -> None:
        """Says nothing."""

    def end_epoch(self, epoch: Epoch) -> None:
        """Writes the figures of the epoch and the time that the others will take."""
        passed = self._clock() - self._started
        left = passed / (epoch.number - self._before) * (self._epochs - epoch.number)
        self.say(
            f"epoch {epoch.number}/{self._epochs}: loss {epoch.loss:.4f}, accuracy "
            f"{epoch.accuracy:.2%}, validation loss {epoch.val_loss:.4f}, validation accuracy "
            f"{epoch.val_accuracy:.2%}, {epoch.seconds:.1f} s, {left:.0f} s left"
        )

    def say(self, text: str) -> None:
        """Writes a line at once."""
        # Whoever read the log may have gone; that is no reason to stop.
        with suppress(BrokenPipeError):
            print(text, file=self._stream, flush=True)

    def close(self) -> None:
        """Does nothing: each line was written."""


def _going_on(done: History, epochs: int) -> str:
    return f"going on after epoch {done[-1].number} of {epochs}"
