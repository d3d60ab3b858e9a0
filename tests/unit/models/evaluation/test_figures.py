import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics

from saccade_models.evaluation import Figures, measure
from saccade_models.evaluation.figures import join

Answers = tuple[NDArray[np.float32], NDArray[np.int64]]


@pytest.fixture(scope="module")
def answers() -> Answers:
    """400 answers of 12 classes that are right about half the time."""
    random = np.random.default_rng(7)
    labels = random.integers(0, 12, 400)
    scores = random.normal(size=(400, 12)) + 2 * np.eye(12)[labels]
    powers = np.exp(scores)
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32), labels


@pytest.fixture(scope="module")
def figures(answers: Answers) -> Figures:
    """What they come to."""
    return measure(*answers)


def test_accuracy_is_the_share_of_right_best_classes() -> None:
    """Two of three rows have their largest probability at the truth."""
    rows = np.array([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2]], np.float32)

    figures = measure(rows, np.array([0, 1, 1]))

    assert (3, 2, 2 / 3) == (figures.samples, figures.correct, figures.accuracy)


def test_the_loss_is_the_mean_cross_entropy() -> None:
    """It is the mean of -log of the probability of the truth."""
    rows = np.array([[0.5, 0.5], [0.25, 0.75]], np.float32)

    assert pytest.approx((np.log(2) + np.log(4)) / 2) == measure(rows, np.array([0, 0])).loss


def test_a_probability_of_zero_does_not_make_the_loss_infinite() -> None:
    """One sure and wrong answer would otherwise hide all others."""
    assert np.isfinite(measure(np.array([[0, 1]], np.float32), np.array([0])).loss)


def test_of_equal_classes_the_first_is_the_answer() -> None:
    """As a server breaks ties; a graph that cannot tell classes apart is not always right."""
    figures = measure(np.full((4, 4), 0.25, np.float32), np.arange(4))

    assert (1, [0, 1, 2, 3]) == (figures.correct, figures.ranks.tolist())


def test_top_5_is_scikit_learns(answers: Answers, figures: Figures) -> None:
    """The truth is among the five most probable classes."""
    rows, labels = answers

    assert metrics.top_k_accuracy_score(labels, rows, k=5) == pytest.approx(figures.top_5)


def test_ten_classes_have_no_top_5() -> None:
    """Half of the classes are no feat."""
    assert measure(np.full((1, 10), 0.1, np.float32), np.array([0])).top_5 is None


def test_precision_recall_and_f1_are_scikit_learns(figures: Figures) -> None:
    """Class by class, with the support."""
    expected = metrics.precision_recall_fscore_support(figures.labels, figures.predicted)
    actual = [
        [getattr(one, name) for one in figures.by_class()]
        for name in ("precision", "recall", "f1", "support")
    ]

    np.testing.assert_allclose(actual, expected)


def test_macro_f1_is_scikit_learns(figures: Figures) -> None:
    """Each class counts alike."""
    expected = metrics.f1_score(figures.labels, figures.predicted, average="macro")

    assert pytest.approx(expected) == figures.macro_f1


def test_a_class_that_nobody_met_has_no_figures() -> None:
    """Neither shown nor answered: there is nothing to divide by."""
    one = measure(np.array([[1, 0, 0]], np.float32), np.array([0])).by_class()[2]

    assert (0, None, None, None) == (one.support, one.precision, one.recall, one.f1)


def test_the_confusion_matrix_is_scikit_learns(figures: Figures) -> None:
    """Rows are the truth, columns the answers."""
    expected = metrics.confusion_matrix(figures.labels, figures.predicted, labels=range(12))

    assert np.array_equal(expected, figures.confusion())


def test_the_frequent_confusions_are_those_of_the_matrix(figures: Figures) -> None:
    """The largest counts off the diagonal, in order."""
    matrix = figures.confusion()
    np.fill_diagonal(matrix, 0)

    pairs = figures.confused(5)

    assert [count for *_, count in pairs] == sorted(matrix.ravel(), reverse=True)[:5]
    assert all(matrix[truth, predicted] == count for truth, predicted, count in pairs)


def test_the_worst_mistakes_are_the_surest(figures: Figures) -> None:
    """Only wrong answers, the most confident first."""
    wrong = np.flatnonzero(figures.labels != figures.predicted)
    expected = sorted(wrong, key=lambda position: -figures.confidences[position])[:6]

    assert expected == figures.worst(6).tolist()


def test_batches_joined_are_the_whole(answers: Answers, figures: Figures) -> None:
    """Nothing is lost where a batch ends."""
    rows, labels = answers

    joined = join([measure(rows[:256], labels[:256]), measure(rows[256:], labels[256:])])

    assert (figures.correct, figures.loss, figures.ece) == (joined.correct, joined.loss, joined.ece)
