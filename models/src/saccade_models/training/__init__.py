"""Trains a network on a data set and writes the artifact."""

import math
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from saccade_models.augmentation import augment_writing
from saccade_models.config import TrainingConfig
from saccade_models.datasets import Dataset, Split, load_dataset
from saccade_models.errors import ModelsError
from saccade_models.evaluation import Figures
from saccade_models.export import export_artifact
from saccade_models.losses import build_loss
from saccade_models.networks import build_classifier
from saccade_models.quantization import QuantizedFigures
from saccade_models.repository import publish_version, stage_version

if TYPE_CHECKING:
    import keras
    import tensorflow as tf


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingResult:
    """The version that was written, its figures on the test split, and the seconds it took."""

    path: Path
    test: Figures
    quantized: QuantizedFigures | None
    seconds: float

    @property
    def version(self) -> int:
        """The version's number."""
        return int(self.path.name)


def train(config: TrainingConfig) -> TrainingResult:
    """Trains, measures on the test split once, and publishes a new version.

    Raises:
        ModelsError: The output can't be written, the training went astray, or quantising costs too
            much accuracy.
    """
    started = time.monotonic()
    folder = config.output / config.name
    with stage_version(folder) as staging:
        dataset = load_dataset(config.dataset)
        classifier = fit_classifier(config, dataset)
        try:
            exported = export_artifact(staging, classifier, config, dataset)
        except OSError as error:
            raise ModelsError(f"cannot write to {folder}: {error.strerror or error}") from error
        path = publish_version(staging)
    return TrainingResult(
        path=path,
        test=exported.test,
        quantized=exported.quantized,
        seconds=time.monotonic() - started,
    )


def fit_classifier(config: TrainingConfig, dataset: Dataset) -> "keras.Model":
    """Builds the network and fits it to the training split.

    Seeds Python, NumPy and TensorFlow in this process, and makes TensorFlow's operations
    deterministic for good.

    Returns:
        Maps pixels 0 to 255 to logits. It knows no optimizer.

    Raises:
        ModelsError: The loss is no longer a number.
    """
    import keras
    import tensorflow as tf

    from saccade_models.progress import ProgressBar

    keras.utils.set_random_seed(config.seed)
    tf.config.experimental.enable_op_determinism()
    classifier = build_classifier(
        config.network, dataset.image_shape, len(dataset.class_labels), config.options
    )
    trainer = keras.Sequential([augment_writing(dataset.image_shape), classifier])
    batches = _batches(dataset.train, config.batch_size, shuffle_seed=config.seed)
    steps = len(batches)
    rate = keras.optimizers.schedules.CosineDecay(config.learning_rate, config.epochs * steps)
    trainer.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss=build_loss(config.loss),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    )
    with closing(ProgressBar(epochs=config.epochs, steps=steps)) as progress:
        history = trainer.fit(
            batches,
            epochs=config.epochs,
            validation_data=_batches(dataset.validation, config.batch_size),
            callbacks=[progress, keras.callbacks.TerminateOnNaN()],
            shuffle=False,  # The batches are shuffled.
            verbose=0,
        )
    if not math.isfinite(history.history["loss"][-1]):
        raise ModelsError(
            f"the loss became infinite: try a learning-rate below {config.learning_rate:g}"
        )
    return classifier


def _batches(split: Split, size: int, shuffle_seed: int | None = None) -> "tf.data.Dataset":
    import tensorflow as tf

    samples = tf.data.Dataset.from_tensor_slices((split.images, split.labels))
    if shuffle_seed is not None:
        samples = samples.shuffle(len(split), seed=shuffle_seed)
    batches = samples.batch(size)
    return batches.map(lambda images, labels: (tf.cast(images, tf.float32), labels)).prefetch(2)
