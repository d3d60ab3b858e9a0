import pytest

from saccade_server.transports.http2 import Http2Options
from saccade_server.transports.http2.upkeep import Upkeep, Verdict

OPTIONS = Http2Options(
    handshake_s=3, frame_s=3, stall_s=3, keepalive_s=3, keepalive_timeout_s=2, idle_s=6
)


def verdicts(
    seconds: int,
    *,
    settled: bool = True,
    in_frame: bool = False,
    stuck: bool = False,
    calls: int = 1,
    heard: bool = True,
) -> list[Verdict]:
    """What is decided in each second."""
    upkeep = Upkeep(OPTIONS)
    decided = []
    for _ in range(seconds):
        upkeep.heard = heard
        decided.append(upkeep.tick(settled=settled, in_frame=in_frame, stuck=stuck, calls=calls))
    return decided


KEEP, ASK, RETIRE, DROP = Verdict.KEEP, Verdict.ASK, Verdict.RETIRE, Verdict.DROP


def test_a_busy_connection_is_kept() -> None:
    """For as long as it likes."""
    assert {KEEP} == set(verdicts(100))


@pytest.mark.parametrize("slow", ["settled", "in_frame", "stuck"])
def test_a_peer_that_is_too_slow_is_dropped(slow: str) -> None:
    """With its handshake, with a frame that it began, with reading our answers."""
    assert [KEEP, KEEP, DROP] == verdicts(3, **{slow: slow != "settled"})


def test_a_silent_peer_is_asked_and_then_dropped() -> None:
    """The machine may be gone, without a word."""
    assert [KEEP, KEEP, ASK, KEEP, DROP] == verdicts(5, heard=False)


def test_a_connection_without_calls_is_retired() -> None:
    """Its peer connects again when it has one."""
    assert [*[KEEP] * 5, RETIRE] == verdicts(6, calls=0)


def test_frames_that_end_restart_the_time_of_the_next() -> None:
    """A slow connection that moves is a good one."""
    upkeep = Upkeep(OPTIONS)
    decided = set()
    for _ in range(10):
        upkeep.heard = True
        decided.add(upkeep.tick(settled=True, in_frame=True, stuck=False, calls=1))
        upkeep.frame_ended()

    assert {KEEP} == decided
