import numpy as np
import pytest
from numpy.typing import NDArray

from saccade_models.adoption.ranges import RANGES, Preprocessing
from saccade_models.adoption.trials import (
    Verdict,
    compare_candidates,
    lead_probability,
    tail_probability,
)
from saccade_server.artifact import ColorSpace

CLASSES = 4


def judge(right: dict[str, NDArray[np.bool_]]) -> Verdict:
    """The verdict on candidates of which it is known which samples they get right."""
    count = len(next(iter(right.values())))
    labels = np.arange(count) % CLASSES

    def predict(each: Preprocessing) -> NDArray[np.float32]:
        name = f"{each.range.name} {each.color_space.value}"
        said = np.where(right[name], labels, (labels + 1) % CLASSES)
        return np.eye(CLASSES, dtype=np.float32)[said]

    candidates = [
        Preprocessing(range=RANGES[name.split()[0]], color_space=ColorSpace(name.split()[1]))
        for name in right
    ]
    return compare_candidates(candidates, predict, labels)


def first(right: int, count: int = 100) -> NDArray[np.bool_]:
    """The first samples right, the others wrong."""
    return np.arange(count) < right


def test_the_one_that_is_right_more_often_fits() -> None:
    """Beyond chance, against each of the others."""
    verdict = judge({"unit rgb": first(40), "signed rgb": first(90), "pixels rgb": first(25)})

    assert ("signed rgb", ()) == (str(verdict.winner), verdict.missing_flags)


def test_a_small_lead_is_none() -> None:
    """Two pictures more of a hundred may be luck: the range must be said."""
    verdict = judge({"unit rgb": first(90), "signed rgb": first(92), "pixels rgb": first(25)})

    assert (None, ("--range",)) == (verdict.winner, verdict.missing_flags)


def test_colors_may_be_all_that_is_open() -> None:
    """The same range in both orders: only the order must be said."""
    verdict = judge({"unit rgb": first(90), "unit bgr": first(90), "pixels rgb": first(25)})

    assert ("--color",) == verdict.missing_flags


def test_too_few_samples_decide_nothing() -> None:
    """Five of five against none of five is not beyond chance."""
    verdict = judge({"unit rgb": first(5, 5), "signed rgb": first(0, 5)})

    assert verdict.winner is None


def test_the_best_of_useless_ones_does_not_fit() -> None:
    """All are guessing: the labels may be in another order."""
    verdict = judge({"unit rgb": first(27), "signed rgb": first(2)})

    assert (None, False) == (verdict.winner, verdict.better_than_guessing)


def test_the_table_has_each_candidate_with_its_accuracy() -> None:
    """The best first."""
    lines = judge({"unit rgb": first(40), "signed bgr": first(90)}).table()

    assert [("signed bgr", True), ("unit rgb", True)] == [
        (line[:10].strip(), f"accuracy  {share}" in line)
        for line, share in zip(lines, ("90.0%", "40.0%"), strict=True)
    ]


def test_tails_are_the_binomial_distribution_s() -> None:
    """Against SciPy, also for many samples."""
    from scipy import stats

    for successes, trials, probability in [(0, 5, 0.2), (7, 10, 0.5), (300, 512, 0.5)]:
        assert tail_probability(successes, trials, probability) == pytest.approx(
            stats.binom.sf(successes - 1, trials, probability)
        )


def test_a_lead_is_judged_by_the_samples_that_differ() -> None:
    """McNemar's exact test is the sign test on those, against SciPy."""
    from scipy import stats

    one, other = first(90), np.concatenate([first(75, 95), np.ones(5, bool)])

    assert lead_probability(one, other) == pytest.approx(stats.binomtest(15, 20).pvalue)
