"""The best classes of each image."""

import numpy as np
import pytest
from numpy.typing import NDArray

from saccade_server.services.ranking import best_classes


def naive(probabilities: NDArray[np.float32], count: int) -> list[list[int]]:
    """What anybody would write: sort by falling score, then by rising index."""
    return [
        sorted(range(len(row)), key=lambda index, row=row: (-row[index], index))[:count]  # type: ignore[misc]
        for row in probabilities
    ]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("classes", [1, 2, 10, 1000])
@pytest.mark.parametrize("count", [1, 2, 5, 10, 100, 1000])
def test_it_agrees_with_a_plain_sort(classes: int, count: int, seed: int) -> None:
    """Few classes of few, few of many, all of many; a few distinct values make many ties."""
    random = np.random.default_rng(seed)
    count = min(count, classes)
    values = random.integers(0, 2 + 3 * seed, (7, classes)) / 16
    probabilities = values.astype(np.float32)

    assert naive(probabilities, count) == best_classes(probabilities, count)


@pytest.mark.parametrize("classes", [4, 1000])
@pytest.mark.parametrize("count", [1, 3])
def test_equal_scores_are_ordered_by_index(classes: int, count: int) -> None:
    """Whatever way is taken: an image that says nothing gets the first classes."""
    probabilities = np.full((1, classes), 0.5, np.float32)

    assert [list(range(count))] == best_classes(probabilities, count)


@pytest.mark.parametrize("count", [1, 2, 10])
def test_each_row_has_as_many_as_asked(count: int) -> None:
    """Also where more classes share the score of the last place."""
    probabilities = np.zeros((3, 1000), np.float32)

    assert [count] * 3 == [len(row) for row in best_classes(probabilities, count)]


def test_no_rows_give_no_lists() -> None:
    """A request none of whose images is good."""
    assert [] == best_classes(np.empty((0, 10), np.float32), 5)


def test_a_score_that_is_no_number_does_not_lose_a_class() -> None:
    """A graph that has gone astray still gets an answer of the right length."""
    probabilities = np.full((1, 1000), np.nan, np.float32)

    assert [5] == [len(row) for row in best_classes(probabilities, 5)]


def test_scores_that_are_no_numbers_sort_last() -> None:
    """Those that are keep their places, infinite ones among them."""
    probabilities = np.full((1, 1000), np.nan, np.float32)
    probabilities[0, [700, 3, 500]] = 0.25, 0.5, -np.inf

    assert [[3, 700, 500, 0]] == best_classes(probabilities, 4)
