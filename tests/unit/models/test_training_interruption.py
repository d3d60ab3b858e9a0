import contextlib
import os
import signal

import pytest

from saccade_models.training.interruption import watch_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_interrupts(number: signal.Signals) -> None:
    """SIGTERM, which a machine sends, as Ctrl-C."""
    with pytest.raises(KeyboardInterrupt), watch_signals():
        os.kill(os.getpid(), number)


def test_a_signal_that_got_lost_is_remembered() -> None:
    """A library that swallows the exception only puts the end off to the next check."""
    with watch_signals() as interruption:
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            interruption.check()


def test_without_a_signal_nothing_happens() -> None:
    with watch_signals() as interruption:
        interruption.check()


def test_the_handlers_are_put_back() -> None:
    """What comes after a training is interrupted as before it."""
    before = signal.getsignal(signal.SIGINT)

    with watch_signals():
        pass

    assert before is signal.getsignal(signal.SIGINT)
