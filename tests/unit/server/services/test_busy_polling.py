"""When the event loop stays awake for a caller's next request."""

import asyncio

import pytest

from fixtures.clock import FakeClock, settle
from saccade_server.services.busy_polling import QUICK, BusyPolling

MOST_S = 0.001
SHORT_S, LONG_S = 0.0005, 0.002

ENOUGH = QUICK + 1
"""Requests after which the loop stays awake: before the first one there was no pause."""


@pytest.fixture
def clock() -> FakeClock:
    """Stands still unless told to go on."""
    return FakeClock()


@pytest.fixture
def polling(clock: FakeClock) -> BusyPolling:
    """What is tested."""
    return BusyPolling(MOST_S, clock)


def answer(
    polling: BusyPolling, clock: FakeClock, count: int = 1, pause_s: float = SHORT_S
) -> None:
    """Requests that come one by one, each so long after the last answer."""
    for _ in range(count):
        clock.advance(pause_s)
        polling.come(alone=True)
        polling.rest()


async def turns(monkeypatch: pytest.MonkeyPatch) -> int:
    """How often the loop turns of its own accord while it might sleep."""
    loop = asyncio.get_running_loop()
    count = 0
    original = loop.call_soon

    def call_soon(*args: object, **named: object) -> object:
        nonlocal count
        count += 1
        return original(*args, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(loop, "call_soon", call_soon)
        await asyncio.sleep(0.01)
    return count


async def test_the_loop_turns_while_the_next_request_of_a_lone_caller_is_due(
    polling: BusyPolling, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not sleep, though there is nothing to do."""
    answer(polling, clock, ENOUGH)

    assert await turns(monkeypatch) > 20


async def test_it_sleeps_where_requests_come_at_leisure(
    polling: BusyPolling, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To turn all the while would take a processor from others."""
    answer(polling, clock, ENOUGH, pause_s=LONG_S)

    assert await turns(monkeypatch) < 5


async def test_it_goes_to_sleep_when_the_request_does_not_come(
    polling: BusyPolling, clock: FakeClock
) -> None:
    """After the longest pause that counts as short."""
    answer(polling, clock, ENOUGH)
    clock.advance(LONG_S)
    await settle()

    assert not polling.turning


async def test_it_stops_when_the_request_comes(polling: BusyPolling, clock: FakeClock) -> None:
    """There is work to do."""
    answer(polling, clock, ENOUGH)
    clock.advance(SHORT_S)
    polling.come(alone=True)
    await settle()

    assert not polling.turning


async def test_one_long_pause_makes_it_sleep_again(polling: BusyPolling, clock: FakeClock) -> None:
    """Until as many quick requests have come as at first."""
    answer(polling, clock, ENOUGH)
    answer(polling, clock, pause_s=LONG_S)
    answer(polling, clock, QUICK - 1)
    await settle()
    before = polling.turning
    answer(polling, clock)

    assert (False, True) == (before, polling.turning)


async def test_it_sleeps_where_requests_have_company(
    polling: BusyPolling, clock: FakeClock
) -> None:
    """Several callers keep it awake by themselves, and the engines need the processor."""
    answer(polling, clock, ENOUGH - 1)
    clock.advance(SHORT_S)
    polling.come(alone=True)
    polling.come(alone=False)
    polling.rest()

    assert not polling.turning


async def test_it_can_be_turned_off(clock: FakeClock) -> None:
    """By the time 0, however quick the caller is."""
    polling = BusyPolling(0.0, clock)
    answer(polling, clock, 2 * QUICK, pause_s=0.0)

    assert not polling.turning
