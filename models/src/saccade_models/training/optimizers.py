"""The optimizers: what becomes of a gradient."""

from typing import TYPE_CHECKING, Any

from saccade_models.config import TrainingConfig

if TYPE_CHECKING:
    import keras


def build_optimizer(config: TrainingConfig, variables: list[Any]) -> "keras.Optimizer":
    """The optimizer with its state for these variables.

    Weight decay leaves biases and the scales of BatchNorm alone: it is for what has more than one
    dimension.
    """
    from keras import optimizers

    decay = config.weight_decay or None
    optimizer = (
        optimizers.SGD(
            config.learning_rate,
            momentum=float(config.momentum),
            nesterov=True,
            weight_decay=decay,
        )
        if config.optimizer == "sgd"
        else optimizers.Adam(config.learning_rate, weight_decay=decay)
    )
    if decay is not None:
        optimizer.exclude_from_weight_decay(
            var_list=[variable for variable in variables if len(variable.shape) < 2]
        )
    optimizer.build(variables)
    return optimizer
