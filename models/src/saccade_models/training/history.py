"""How a training went, epoch by epoch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """One pass over the training split, and what the validation split said after it.

    Attributes:
        number: From 1.
        loss: Mean over the training images as they were trained on: augmented, weighted by class,
            with label smoothing, by weights that changed meanwhile. For cross-entropy in nats.
        accuracy: Fraction of these images whose best class was right.
        val_loss: Mean over the validation split, with label smoothing, without class weights.
        val_accuracy: Fraction of the validation split. Both are of the weights that would be
            exported: the averaged ones where there is an average.
        learning_rate: Of the last step.
        seconds: Wall time, validation included.
    """

    number: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float

    @property
    def rank(self) -> tuple[float, float]:
        """The greater, the better: the validation's accuracy first, its loss where that ties."""
        return self.val_accuracy, -self.val_loss


History = tuple[Epoch, ...]


def best_epoch(history: History) -> Epoch:
    """The one with the best validation figures, the first among equals; there is at least one."""
    return max(history, key=lambda epoch: epoch.rank)
