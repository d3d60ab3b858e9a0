"""`saccade-models train`."""

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from saccade_models.augmentation import AUGMENTATIONS
from saccade_models.cli import pictures
from saccade_models.config import CLASS_WEIGHTS, OPTIMIZERS, QUANTIZATIONS, TrainingConfig
from saccade_models.datasets import DATASETS
from saccade_models.losses import LOSSES
from saccade_models.networks import ACTIVATIONS, NETWORKS, POOLINGS, NetworkOptions
from saccade_models.training.precision import PRECISIONS
from saccade_models.training.schedule import SCHEDULES

SUMMARY = "Train a network and export a new version."


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Declares a flag for each setting of TrainingConfig and NetworkOptions."""
    _add_subject(parser)
    _add_network(parser)
    _add_optimization(parser)
    _add_regularization(parser)
    _add_keeping(parser)
    group = parser.add_argument_group("what servers run")
    text = "how to shrink it; measured on the test split, refused if that falls by over 0.5 points"
    _choice(group, "--quantize", QUANTIZATIONS, text)
    group.add_argument("--force", action="store_true", help="publish it even then")


def _add_subject(parser: argparse.ArgumentParser) -> None:
    _choice(parser, "--network", list(NETWORKS), "what to train")
    _choice(parser, "--dataset", list(DATASETS), "what to train on")
    text = "the folder that holds the data set; None: downloaded, where it is not embedded"
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help=text)
    pictures.add_flags(parser)
    _number(parser, "--cache-mb", int, "MiB of decoded pictures of a folder to keep in memory")
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="the model repository"
    )
    parser.add_argument("--name", required=True, help="the model's name in the repository")
    _number(parser, "--seed", int, "of weights, order and augmentation")


def _add_network(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("network", "for those that leave it open; None: their own")
    for flag, known, text in [
        ("--activation", ACTIVATIONS, "after each hidden layer"),
        ("--pooling", POOLINGS, "how 2 x 2 pixels become one"),
    ]:
        group.add_argument(flag, choices=known, help=text)


def _add_optimization(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("optimization")
    _choice(group, "--loss", LOSSES, "what the training makes small")
    _number(group, "--epochs", int, "passes over the training split")
    _number(group, "--batch-size", int, "images a step")
    _choice(group, "--optimizer", OPTIMIZERS, "sgd has Nesterov's momentum")
    _number(group, "--momentum", float, "of sgd")
    _number(group, "--learning-rate", float, "the highest one")
    _choice(group, "--schedule", SCHEDULES, "how the rate falls, to 0 or not at all")
    _number(group, "--warmup-epochs", float, "rise to it first, for so many epochs or parts of one")
    text = "what to compute with; bfloat16 is quicker where the processor has instructions for it"
    _choice(group, "--precision", PRECISIONS, text)
    _choice(group, "--class-weights", CLASS_WEIGHTS, "balanced: classes count alike in the loss")


def _add_regularization(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("regularization")
    _choice(group, "--augmentation", AUGMENTATIONS, "how training images are varied; auto: by data")
    text = "a step shrinks kernels by learning rate x this (decoupled; try 5e-4 for adam, 5e-3 sgd)"
    _number(group, "--weight-decay", float, text)
    _number(group, "--label-smoothing", float, "part of the truth spread over all classes, try 0.1")
    text = "decay of a moving average of the weights to evaluate and export, try 0.998; 0: off"
    _number(group, "--ema", float, text)
    text = "stop after so many epochs without a better validation, take the best; 0: off"
    _number(group, "--patience", int, text)


def _add_keeping(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "interruptions", "The same command goes on after the last epoch that was finished."
    )
    group.add_argument("--restart", action="store_true", help="begin anew instead")
    text = "where finished epochs are kept until the version is published; None: beside it"
    group.add_argument("--checkpoint-dir", type=Path, metavar="DIR", help=text)
    text = "write learning curves for TensorBoard"
    group.add_argument("--tensorboard", type=Path, metavar="DIR", help=text)


class _Flags(Protocol):
    """A parser, or a group of one."""

    def add_argument(self, *names: str, **settings: Any) -> Any:
        """Declares a flag."""


def _choice(flags: _Flags, flag: str, known: Sequence[str], text: str) -> None:
    flags.add_argument(flag, choices=known, default=_default(flag), help=text)


def _number(flags: _Flags, flag: str, kind: type, text: str) -> None:
    flags.add_argument(flag, type=kind, default=_default(flag), metavar="N", help=text)


def _default(flag: str) -> Any:
    return TrainingConfig.default(flag.removeprefix("--").replace("-", "_"))


def run(flags: argparse.Namespace) -> None:
    """Trains, and prints the figures in a line."""
    names = {field.name for field in dataclasses.fields(TrainingConfig)}
    settings = {name: value for name, value in vars(flags).items() if name in names}
    options = NetworkOptions(activation=flags.activation, pooling=flags.pooling)
    config = TrainingConfig(**settings, form=pictures.read_form(flags), options=options)

    from saccade_models.compilation import warn_of_tensorflow
    from saccade_models.quiet import load_tensorflow
    from saccade_models.training.run import train

    load_tensorflow()
    result = train(config)
    figures = result.test
    print(
        f"{config.name} version {result.version}: test accuracy {figures.accuracy:.2%} "
        f"({figures.correct} of {figures.samples}), {result.seconds:.1f} s, {result.path}"
    )
    if result.quantized is not None:
        print(result.quantized)
    if result.uncompiled:
        print(f"saccade-models: {warn_of_tensorflow(result.uncompiled)}", file=sys.stderr)
