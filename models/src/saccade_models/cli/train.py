"""`saccade-models train`."""

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from saccade_models.config import QUANTIZATIONS, TrainingConfig
from saccade_models.datasets import DATASETS
from saccade_models.losses import LOSSES
from saccade_models.networks import ACTIVATIONS, NETWORKS, POOLINGS, NetworkOptions

SUMMARY = "Train a network and export a new version."


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Declares a flag for each setting of TrainingConfig and NetworkOptions."""
    options = NetworkOptions()

    def choice(flag: str, known: Sequence[str], default: object, text: str) -> None:
        parser.add_argument(flag, choices=known, default=default, help=text)

    def number(flag: str, kind: type, text: str) -> None:
        default = TrainingConfig.default(flag.removeprefix("--").replace("-", "_"))
        parser.add_argument(flag, type=kind, default=default, metavar="N", help=text)

    choice("--network", list(NETWORKS), TrainingConfig.default("network"), "what to train")
    choice("--dataset", list(DATASETS), TrainingConfig.default("dataset"), "what to train on")
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="the model repository"
    )
    parser.add_argument("--name", required=True, help="the model's name in the repository")
    number("--epochs", int, "passes over the training split")
    number("--batch-size", int, "images a step")
    number("--learning-rate", float, "of the first step; falls to 0 along a half cosine")
    number("--seed", int, "of weights, order and augmentation")
    choice("--activation", ACTIVATIONS, options.activation, "after each hidden layer")
    choice("--pooling", POOLINGS, options.pooling, "how 2 x 2 pixels become one")
    choice("--loss", LOSSES, TrainingConfig.default("loss"), "what the training makes small")
    choice(
        "--quantize",
        QUANTIZATIONS,
        TrainingConfig.default("quantize"),
        "how to shrink what servers run; refused where test accuracy falls by over 0.5 points",
    )
    parser.add_argument("--force", action="store_true", help="publish it even then")


def run(flags: argparse.Namespace) -> None:
    """Trains, and prints the figures in a line."""
    names = {field.name for field in dataclasses.fields(TrainingConfig)}
    settings = {name: value for name, value in vars(flags).items() if name in names}
    options = NetworkOptions(activation=flags.activation, pooling=flags.pooling)
    config = TrainingConfig(**settings, options=options)

    from saccade_models.training import train

    result = train(config)
    figures = result.test
    print(
        f"{config.name} version {result.version}: test accuracy {figures.accuracy:.2%} "
        f"({figures.correct} of {figures.samples}), {result.seconds:.1f} s, {result.path}"
    )
    if result.quantized is not None:
        print(result.quantized)
