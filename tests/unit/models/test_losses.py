import numpy as np
import pytest
from numpy.typing import NDArray

from saccade_models.errors import ConfigError
from saccade_models.losses import build_loss

LABELS = np.array([2, 0])
LOGITS = np.array([[-1.0, 0.5, 3.0], [4.0, -2.0, 7.0]], np.float32)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    powers = np.exp(logits.astype(np.float64))
    rows: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return rows


def test_cross_entropy_is_computed_on_logits() -> None:
    """It is -log softmax(z)[y]: a softmax in front of it would change it."""
    loss = build_loss("cross-entropy")(LABELS, LOGITS).numpy()

    np.testing.assert_allclose(loss, -np.log(softmax(LOGITS)[[0, 1], LABELS]), rtol=1e-5)


def test_cross_entropy_of_huge_logits_is_finite() -> None:
    """It never goes through a probability, which would underflow to 0."""
    loss = build_loss("cross-entropy")(np.array([0]), np.array([[-500.0, 500.0]], np.float32))

    assert [1000.0] == loss.numpy().tolist()


def test_mse_is_computed_on_the_softmax_of_logits() -> None:
    """It is the mean over the classes of the squared distance to the one-hot truth."""
    loss = build_loss("mse")(LABELS, LOGITS).numpy()

    np.testing.assert_allclose(
        loss, np.mean((softmax(LOGITS) - np.eye(3)[LABELS]) ** 2, axis=1), rtol=1e-5
    )


@pytest.mark.parametrize("name", ["cross-entropy", "mse"])
def test_smoothing_spreads_a_part_of_the_truth_over_all_classes(name: str) -> None:
    """With s the truth is 1 - s + s / K at the label and s / K elsewhere."""
    truth = 0.7 * np.eye(3)[LABELS] + 0.1
    expected = {
        "cross-entropy": -np.sum(truth * np.log(softmax(LOGITS)), axis=1),
        "mse": np.mean((softmax(LOGITS) - truth) ** 2, axis=1),
    }

    loss = build_loss(name, label_smoothing=0.3)(LABELS, LOGITS).numpy()

    np.testing.assert_allclose(loss, expected[name], rtol=1e-5)


def test_an_unknown_loss_is_refused() -> None:
    """The text names those that there are."""
    with pytest.raises(ConfigError) as caught:
        build_loss("hinge")

    assert "loss must be one of cross-entropy, mse, got 'hinge'" == str(caught.value)
