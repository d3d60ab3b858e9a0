import numpy as np
import pytest
from numpy.typing import NDArray

from saccade_models.datasets import Dataset
from saccade_models.errors import ModelsError
from saccade_models.evaluation import fit_temperature, measure, read_logits
from saccade_models.evaluation.temperature import HIGHEST, LOWEST, soften
from saccade_models.networks import NetworkOptions, build_classifier

Drawn = tuple[NDArray[np.float32], NDArray[np.int64]]


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    rows: NDArray[np.float32] = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return rows


@pytest.fixture(scope="module")
def true() -> Drawn:
    """Logits of five classes, and labels that are drawn by exactly their probabilities."""
    random = np.random.default_rng(3)
    logits = random.normal(scale=2, size=(20_000, 5)).astype(np.float32)
    choice = random.random((20_000, 1)) > softmax(logits).cumsum(axis=1)
    return logits, choice.sum(axis=1).clip(0, 4)


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_factor_of_too_sure_logits_is_found(true: Drawn, factor: float) -> None:
    """True logits times a factor need that factor as the temperature."""
    logits, labels = true

    assert pytest.approx(factor, rel=0.03) == fit_temperature(logits * factor, labels).value


def test_no_other_temperature_has_a_smaller_loss(true: Drawn) -> None:
    """The fitted value is where the cross-entropy is smallest, not only near it."""
    logits, labels = true[0][:300] * 4, true[1][:300]
    best = fit_temperature(logits, labels).value
    losses = [measure(softmax(logits / (best * by)), labels).loss for by in (0.98, 1, 1.02)]

    assert losses[1] == min(losses)


def test_scaling_makes_the_confidences_come_true(true: Drawn) -> None:
    """The expected calibration error of logits times 3 falls nearly to 0."""
    logits, labels = true[0] * 3, true[1]
    value = fit_temperature(logits, labels).value

    assert (True, True) == (
        measure(softmax(logits), labels).ece > 0.1,
        measure(softmax(logits / value), labels).ece < 0.02,
    )


def test_a_split_without_mistakes_leaves_the_probabilities_as_they_are() -> None:
    """The loss would fall for ever with the temperature; what is said is why it is not taken."""
    labels = np.arange(100) % 5

    fitted = fit_temperature((np.eye(5) * 8)[labels].astype(np.float32), labels)

    assert (1.0, True) == (fitted.value, "all 100 validation images" in fitted.reason)


def test_few_images_leave_the_probabilities_as_they_are(true: Drawn) -> None:
    """One mistake more or less would decide."""
    fitted = fit_temperature(true[0][:20], true[1][:20])

    assert (1.0, True) == (fitted.value, "too few" in fitted.reason)


@pytest.mark.parametrize(("logit", "limit"), [(0.001, LOWEST), (1000.0, HIGHEST)])
def test_an_absurd_temperature_is_held_at_its_limit(logit: float, limit: float) -> None:
    """Logits a thousand times too small or too large; the reason says so."""
    labels = np.arange(1000) % 2
    logits = np.where(labels[:, np.newaxis] == [0, 1], logit, -logit).astype(np.float32)
    logits[:300] *= -1

    fitted = fit_temperature(logits, labels)

    assert (limit, True) == (fitted.value, "limit" in fitted.reason)


def test_probabilities_remember_their_logits(true: Drawn) -> None:
    """What a temperature did to them can be undone without the logits."""
    logits = true[0][:50]

    assert np.allclose(soften(softmax(logits / np.float32(2)), 1 / 2), softmax(logits), atol=1e-5)


def test_the_logits_are_those_of_the_network(few_digits: Dataset) -> None:
    """For every image of the split, in order."""
    classifier = build_classifier("cnn", (28, 28, 1), 10, NetworkOptions())
    expected = classifier(few_digits.validation.images[:].astype(np.float32)).numpy()

    logits, labels = read_logits(classifier, few_digits.validation)

    np.testing.assert_allclose(logits, expected, atol=1e-4)
    assert few_digits.validation.labels.tolist() == labels.tolist()


def test_a_network_that_answers_no_numbers_is_refused(few_digits: Dataset) -> None:
    """Nothing could be fitted, and nothing should be served."""
    classifier = build_classifier("cnn", (28, 28, 1), 10, NetworkOptions())
    classifier.layers[-1].bias.assign(np.full(10, np.nan))

    with pytest.raises(ModelsError, match="no number"):
        read_logits(classifier, few_digits.validation)
