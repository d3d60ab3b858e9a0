import pytest

from saccade_models.training.schedule import SCHEDULES, Schedule


def rates(kind: str, warmup_steps: int = 0, steps: int = 8) -> list[float]:
    """Of each step, with 1 as the peak."""
    schedule = Schedule(kind=kind, peak=1.0, warmup_steps=warmup_steps, steps=steps)
    return [schedule.rate(step) for step in range(steps)]


def test_a_cosine_starts_at_the_peak_and_falls_slowly_at_both_ends() -> None:
    """It would be 0 at the step after the last one."""
    assert pytest.approx([1, 0.8536, 0.5, 0.1464], abs=1e-4) == rates("cosine", steps=4)


def test_a_line_falls_alike_at_each_step() -> None:
    """It would be 0 at the step after the last one."""
    assert [1, 0.75, 0.5, 0.25] == rates("linear", steps=4)


def test_a_constant_stays() -> None:
    assert [1, 1, 1, 1] == rates("constant", steps=4)


@pytest.mark.parametrize("kind", SCHEDULES)
def test_a_warm_up_rises_alike_at_each_step_to_the_peak(kind: str) -> None:
    """No step has a rate of 0; the fall begins afterwards, from the peak."""
    assert [0.25, 0.5, 0.75, 1, 1] == rates(kind, warmup_steps=4)[:5]
