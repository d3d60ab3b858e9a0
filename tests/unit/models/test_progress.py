import io
import os

from rich.console import Console

from fixtures.clock import FakeClock
from saccade_models.progress import ProgressBar, ProgressLines
from saccade_models.training.history import Epoch


def epoch(number: int) -> Epoch:
    return Epoch(
        number=number, loss=0.5, accuracy=0.75, val_loss=0.25, val_accuracy=0.875,
        learning_rate=1e-3, seconds=4.0,
    )  # fmt: skip


def test_a_log_gets_a_line_an_epoch_with_the_time_left() -> None:
    """The epochs of this run tell how long the others will take."""
    clock, stream = FakeClock(), io.StringIO()
    progress = ProgressLines(5, stream, clock)
    progress.begin((), steps=3)

    for number in (1, 2):
        clock.advance(10)
        progress.end_epoch(epoch(number))

    figures = (
        "loss 0.5000, accuracy 75.00%, validation loss 0.2500, validation accuracy 87.50%, 4.0 s"
    )
    assert [
        f"epoch 1/5: {figures}, 40 s left",
        f"epoch 2/5: {figures}, 30 s left",
    ] == stream.getvalue().splitlines()


def test_a_training_that_goes_on_says_so() -> None:
    """What an earlier run did is not counted as quick."""
    clock, stream = FakeClock(), io.StringIO()
    progress = ProgressLines(5, stream, clock)
    progress.begin((epoch(1), epoch(2)), steps=3)

    clock.advance(10)
    progress.end_epoch(epoch(3))

    first, second = stream.getvalue().splitlines()
    assert ("going on after epoch 2 of 5", True) == (first, second.endswith(", 20 s left"))


def test_a_log_that_nobody_reads_any_more_stops_nothing() -> None:
    """The pipe of a background run may be closed."""
    reading, writing = os.pipe()
    os.close(reading)

    with open(writing, "w", buffering=1) as stream:
        ProgressLines(5, stream).say("hello")
        # What could not be written must not be tried again when the file is closed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), writing)


def test_a_terminal_gets_a_bar() -> None:
    """It shows the epoch and the last figures."""
    stream = io.StringIO()
    terminal = Console(file=stream, force_terminal=True, color_system=None, width=120)
    progress = ProgressBar(2, terminal)
    progress.begin((), steps=1)
    for number in (1, 2):
        progress.end_step()
        progress.end_epoch(epoch(number))

    progress.close()

    shown = stream.getvalue()
    assert all(part in shown for part in ("epoch 2/2", "loss 0.5000, validation accuracy 87.50%"))
