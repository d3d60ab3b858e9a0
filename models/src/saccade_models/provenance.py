"""Where an artifact comes from: what a later reader needs to make it again."""

import platform
import shlex
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from saccade.v1 import manifest_pb2
from saccade_models.augmentation import resolve
from saccade_models.config import TrainingConfig
from saccade_models.datasets import DATASETS, PictureForm

PACKAGES = ("saccade-models", "keras", "numpy", "pillow", "scikit-learn")
# One of them is there; both bring the module `tensorflow`.
TENSORFLOW_PACKAGES = ("tensorflow", "tensorflow-cpu")


def describe_training(config: TrainingConfig, weights: int) -> manifest_pb2.Provenance:
    """The provenance of an artifact that is being made now.

    Args:
        config: the settings of the training.
        weights: trainable and other weights of the network.
    """
    return manifest_pb2.Provenance(
        dataset=config.dataset,
        network=config.network,
        seed=config.seed,
        command=shlex.join(command_line(config)),
        created_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        versions=installed_versions(),
        parameters=parameters(config),
        weights=weights,
    )


def command_line(config: TrainingConfig) -> list[str]:
    """The command with every setting spelled out, defaults too: defaults change.

    Where an absolute folder was given, only its last name is told: the rest is the machine's.
    """
    source = {} if config.data_dir is None else {"data-dir": _told(config.data_dir)}
    arguments = {
        "network": config.network,
        "dataset": config.dataset,
        **source,
        "output": _told(config.output),
        "name": config.name,
        **parameters(config),
        "seed": str(config.seed),
    }
    flags = (part for flag, value in arguments.items() for part in (f"--{flag}", value))
    return ["saccade-models", "train", *flags, *["--force"] * config.force]


def _told(folder: Path) -> str:
    return folder.name if folder.is_absolute() else folder.as_posix()


def parameters(config: TrainingConfig) -> dict[str, str]:
    """The hyperparameters, by the names of their flags; `auto` is told as what it came to.

    Options of the network are told where somebody chose them, the form of pictures where they have
    none of their own.
    """
    form = config.form or PictureForm()
    formless = DATASETS[config.dataset].formless
    return {
        **({"image-size": form.size, "color": form.color} if formless else {}),
        "epochs": str(config.epochs),
        "batch-size": str(config.batch_size),
        "optimizer": config.optimizer,
        "momentum": str(config.momentum),
        "learning-rate": str(config.learning_rate),
        "schedule": config.schedule,
        "warmup-epochs": str(config.warmup_epochs),
        "weight-decay": str(config.weight_decay),
        "loss": config.loss,
        "label-smoothing": str(config.label_smoothing),
        "class-weights": config.class_weights,
        "augmentation": resolve(config.augmentation, config.dataset),
        "ema": str(config.ema),
        "patience": str(config.patience),
        "precision": config.precision,
        **config.options.chosen(),
        "quantize": config.quantize,
    }


def installed_versions() -> dict[str, str]:
    """Version by package name, Python's too."""
    versions = {package: metadata.version(package) for package in PACKAGES}
    versions["python"] = platform.python_version()
    for package in TENSORFLOW_PACKAGES:
        try:
            versions["tensorflow"] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions
