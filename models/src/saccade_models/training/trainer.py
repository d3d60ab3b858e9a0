"""A network in training: what one step and one look at the validation split do, and its state.

Chance hangs on (seed, epoch, step) alone: the order of the images is drawn for each epoch, and at
an epoch's beginning every random generator of the network and the augmentation is set anew.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from saccade_models.augmentation import augment, resolve
from saccade_models.config import TrainingConfig
from saccade_models.datasets import Dataset, Split
from saccade_models.errors import ModelsError
from saccade_models.losses import build_loss
from saccade_models.networks import build_classifier
from saccade_models.training.batches import batches, shuffled_batches
from saccade_models.training.optimizers import build_optimizer
from saccade_models.training.precision import compute_in
from saccade_models.training.schedule import Schedule
from saccade_models.training.weighting import class_weights

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

GENERATOR = "seed_generator_state"
"""The name that Keras gives to the state of a layer's random generator."""

Arrays = list[NDArray[Any]]
State = dict[str, Arrays]


class Trainer:
    """Fresh weights and what changes them.

    Makes TensorFlow's operations deterministic in this process, for good.
    """

    def __init__(self, config: TrainingConfig, dataset: Dataset) -> None:
        import keras
        import tensorflow as tf

        keras.utils.set_random_seed(config.seed)
        tf.config.experimental.enable_op_determinism()
        self._config = config
        self._dataset = dataset
        self.steps = math.ceil(len(dataset.train) / config.batch_size)
        self._schedule = Schedule(
            kind=config.schedule,
            peak=config.learning_rate,
            warmup_steps=round(config.warmup_epochs * self.steps),
            steps=config.epochs * self.steps,
        )
        shape, classes = dataset.image_shape, len(dataset.class_labels)
        with compute_in(config.precision):
            self._network = build_classifier(config.network, shape, classes, config.options)
        self._twin = None
        if config.ema or config.precision != "float32":
            self._twin = build_classifier(config.network, shape, classes, config.options)
            self._twin.set_weights(self._network.get_weights())
        self._augment = augment(resolve(config.augmentation, config.dataset), shape)
        self._optimizer = build_optimizer(config, self._network.trainable_variables)
        self._step = self._build_step()
        self._measure = self._build_measure()

    @property
    def classifier(self) -> "keras.Model":
        """What is evaluated and exported, in float32; maps pixels 0 to 255 to logits."""
        return self._network if self._twin is None else self._twin

    def learning_rate(self, step: int) -> float:
        """Of a step, counted from the training's first."""
        return self._schedule.rate(step)

    def train_epoch(self, epoch: int, on_step: Callable[[], None]) -> tuple[float, float]:
        """Passes over the training split once.

        Args:
            epoch: from 0.
            on_step: is called after each step.

        Returns:
            The mean loss and the accuracy, of the images as they were trained on.

        Raises:
            ModelsError: The loss is no longer a number.
        """
        self._seed_generators(epoch)
        config, split = self._config, self._dataset.train
        shuffled = shuffled_batches(split, config.batch_size, seed=config.seed, epoch=epoch)
        totals = np.zeros(2)
        for step, (images, labels) in enumerate(shuffled, start=epoch * self.steps):
            figures = self._step(images, labels, np.float32(self._schedule.rate(step))).numpy()
            if not np.isfinite(figures[0]):
                raise ModelsError(
                    f"the loss became infinite in epoch {epoch + 1}: try a learning-rate below "
                    f"{config.learning_rate:g}"
                )
            totals += figures
            on_step()
        loss, accuracy = totals / len(split)
        return float(loss), float(accuracy)

    def validate(self) -> tuple[float, float]:
        """The mean loss and the accuracy of `classifier` on the validation split."""
        return self._evaluate(self._dataset.validation)

    def read_state(self) -> State:
        """Everything that changes in training, as copies."""
        return {
            kind: [np.array(variable.numpy()) for variable in variables]
            for kind, variables in self._variables().items()
        }

    def write_state(self, state: State) -> None:
        """Goes back to a state.

        Raises:
            ValueError: It is of another network or optimizer.
        """
        for kind, variables in self._variables().items():
            shapes = [tuple(variable.shape) for variable in variables]
            if [value.shape for value in state[kind]] != shapes:
                raise ValueError(f"{kind}: other shapes")
            for variable, value in zip(variables, state[kind], strict=True):
                variable.assign(value)

    def read_classifier(self) -> Arrays:
        """The weights that would be exported, as copies."""
        weights: Arrays = self.classifier.get_weights()
        return weights

    def _variables(self) -> dict[str, list[Any]]:
        return {
            "weights": self._network.weights,
            "twin": [] if self._twin is None else self._twin.weights,
            "optimizer": self._optimizer.variables,
        }

    def _seed_generators(self, epoch: int) -> None:
        generators = [
            variable
            for model in (self._network, self._augment)
            for variable in (model.variables if model is not None else ())
            if variable.name == GENERATOR
        ]
        for index, generator in enumerate(generators):
            entropy = np.random.SeedSequence([self._config.seed, epoch, index])
            # A seed, and how many numbers were drawn with it.
            generator.assign([int(entropy.generate_state(1)[0]) % 2**31, 0])

    def _build_step(self) -> Any:
        import tensorflow as tf

        loss_of = build_loss(self._config.loss, label_smoothing=self._config.label_smoothing)
        weights = tf.constant(class_weights(self._config.class_weights, self._dataset), tf.float32)
        variables = self._network.trainable_variables

        def step(images: "tf.Tensor", labels: "tf.Tensor", rate: "tf.Tensor") -> "tf.Tensor":
            pixels = tf.cast(images, tf.float32)
            if self._augment is not None:
                pixels = self._augment(pixels, training=True)
            with tf.GradientTape() as tape:
                logits = tf.cast(self._network(pixels, training=True), tf.float32)
                losses = loss_of(labels, logits) * tf.gather(weights, labels)
                loss = tf.add_n([tf.reduce_mean(losses), *self._network.losses])
            gradients = tape.gradient(loss, variables)
            self._optimizer.learning_rate.assign(rate)
            self._optimizer.apply(gradients, variables)
            self._follow()
            return tf.stack([tf.reduce_sum(losses), _count_right(labels, logits)])

        return tf.function(
            step, input_signature=[*self._batch_spec(), tf.TensorSpec((), "float32")]
        )

    def _build_measure(self) -> Any:
        import tensorflow as tf

        loss_of = build_loss(self._config.loss, label_smoothing=self._config.label_smoothing)

        def measure(images: "tf.Tensor", labels: "tf.Tensor") -> "tf.Tensor":
            logits = self.classifier(tf.cast(images, tf.float32), training=False)
            return tf.stack([tf.reduce_sum(loss_of(labels, logits)), _count_right(labels, logits)])

        return tf.function(measure, input_signature=self._batch_spec())

    def _batch_spec(self) -> "list[tf.TensorSpec]":
        import tensorflow as tf

        return [
            tf.TensorSpec((None, *self._dataset.image_shape), tf.uint8),
            tf.TensorSpec((None,), tf.int64),
        ]

    def _follow(self) -> None:
        """Moves the twin towards the trained weights by a step, BatchNorm's statistics with them.

        The average's decay begins low, as in TensorFlow's ExponentialMovingAverage, so that it does
        not hang on the random start. With a decay of 0 the twin is a copy.
        """
        if self._twin is None:
            return
        import tensorflow as tf

        steps = tf.cast(self._optimizer.iterations, tf.float32)
        decay = tf.minimum(self._config.ema, (1 + steps) / (10 + steps))
        for mean, weight in zip(self._twin.weights, self._network.weights, strict=True):
            mean.assign(mean - (1 - decay) * (mean - weight))

    def _evaluate(self, split: Split) -> tuple[float, float]:
        totals = np.zeros(2)
        for images, labels in batches(split):
            totals += self._measure(images, labels).numpy()
        loss, accuracy = totals / len(split)
        return float(loss), float(accuracy)


def _count_right(labels: "tf.Tensor", logits: "tf.Tensor") -> Any:
    import tensorflow as tf

    return tf.reduce_sum(tf.cast(tf.equal(tf.argmax(logits, axis=-1), labels), tf.float32))
