"""Looking again and again."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from saccade_server.errors import ConfigError
from saccade_server.metrics import Metrics
from saccade_server.registry import Watcher


class Looks:
    """What is looked at.

    Attributes:
        troubles: What the next looks raise, in order; None: nothing.
        pauses: The seconds of each pause.
    """

    def __init__(self, *troubles: Exception | None) -> None:
        self.troubles = list(troubles)
        self.pauses: list[float] = []

    async def look(self) -> None:
        """One look."""
        if trouble := self.troubles.pop(0):
            raise trouble

    async def sleep(self, seconds: float) -> None:
        """Ends the watch when there is nothing more to look at."""
        self.pauses.append(seconds)
        if not self.troubles:
            raise asyncio.CancelledError


async def watch(looks: Looks) -> Metrics:
    """Watches to the end."""
    metrics = Metrics(CollectorRegistry())
    with pytest.raises(asyncio.CancelledError):
        await Watcher(
            looks.look, 2.5, metrics.repository_looks, what="new versions", sleep=looks.sleep
        ).run()
    return metrics


async def test_there_is_a_pause_before_each_look() -> None:
    """As long as it was set."""
    looks = Looks(None, None)
    await watch(looks)

    assert [2.5, 2.5, 2.5] == looks.pauses


@pytest.mark.parametrize("trouble", [ConfigError("no folder"), OSError("away"), KeyError("bug")])
async def test_whatever_happens_it_looks_again(trouble: Exception) -> None:
    """And counts how it went."""
    metrics = await watch(Looks(trouble, None, None))
    value = metrics.registry.get_sample_value
    name = "saccade_repository_looks_total"

    assert (1, 2) == (value(name, {"outcome": "failed"}), value(name, {"outcome": "ok"}))


async def test_trouble_that_lasts_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """It would fill the log."""
    await watch(Looks(*[OSError("away")] * 3))

    assert ["a look for new versions failed: away"] == [each.message for each in caplog.records]
