"""The `saccade-models` command: flags in, text out. What is done stands in the other modules.

TensorFlow takes seconds to import and is imported only by the commands that compute.
"""

import argparse
import dataclasses
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from saccade_models.config import QUANTIZATIONS, TrainingConfig
from saccade_models.datasets import DATASETS, Source, load_dataset
from saccade_models.errors import ConfigError, ModelsError
from saccade_models.losses import LOSSES
from saccade_models.networks import ACTIVATIONS, NETWORKS, POOLINGS, Network, NetworkOptions
from saccade_server.errors import ArtifactError, EngineError

INTERRUPTED = 130
DEFAULTS = {field.name: field.default for field in dataclasses.fields(TrainingConfig)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Returns:
        The exit code: 0, 1 (it failed), 2 (wrong flags) or 130 (interrupted).
    """
    flags = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], None] = flags.run
    _quieten_tensorflow()
    # As Ctrl-C: what was begun is cleaned away.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run(flags)
    except ModelsError as error:
        return _fail(str(error), error.exit_code)
    except (ArtifactError, EngineError) as error:
        return _fail(str(error), ModelsError.exit_code)
    except KeyboardInterrupt:
        return _fail("interrupted, nothing was written", INTERRUPTED)
    return 0


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(ConfigError.exit_code, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="saccade-models", description="Makes the artifacts that Saccade serves.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[argparse.Namespace], None], text: str) -> _Parser:
        command: _Parser = commands.add_parser(
            name,
            help=text,
            description=text,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        command.set_defaults(run=run)
        return command

    _add_training_flags(add("train", _train, "Train a network and export a new version."))
    for name, run in [("networks", _networks), ("datasets", _datasets)]:
        listing = add(name, run, f"List the {name}.")
        listing.add_argument("--json", action="store_true", help="print JSON")
    inspect = add("inspect", _inspect, "Print an artifact's manifest and verify the artifact.")
    inspect.add_argument("artifact", type=Path, help="a version's folder")
    samples = add("samples", _samples, "Write images of a test split as PNG files.")
    samples.add_argument("--dataset", choices=DATASETS, default=DEFAULTS["dataset"], help="which")
    samples.add_argument("--count", type=int, default=20, help="how many")
    samples.add_argument("--output", type=Path, required=True, metavar="DIR", help="where to")
    return parser


def _add_training_flags(parser: argparse.ArgumentParser) -> None:
    options = NetworkOptions()

    def choice(flag: str, known: Sequence[str], default: object, text: str) -> None:
        parser.add_argument(flag, choices=known, default=default, help=text)

    def number(flag: str, kind: type, text: str) -> None:
        name = flag.removeprefix("--")
        default = DEFAULTS[name.replace("-", "_")]
        parser.add_argument(flag, type=kind, default=default, metavar="N", help=text)

    choice("--network", list(NETWORKS), DEFAULTS["network"], "what to train")
    choice("--dataset", list(DATASETS), DEFAULTS["dataset"], "what to train on")
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
    choice("--loss", LOSSES, DEFAULTS["loss"], "what the training makes small")
    choice(
        "--quantize",
        QUANTIZATIONS,
        DEFAULTS["quantize"],
        "how to shrink what servers run; refused where test accuracy falls by over 0.5 points",
    )
    parser.add_argument("--force", action="store_true", help="publish it even then")


def _train(flags: argparse.Namespace) -> None:
    settings = {name: value for name, value in vars(flags).items() if name in DEFAULTS}
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


def _networks(flags: argparse.Namespace) -> None:
    _list(NETWORKS, flags)


def _datasets(flags: argparse.Namespace) -> None:
    _list(DATASETS, flags)


def _list(entries: Mapping[str, Network] | Mapping[str, Source], flags: argparse.Namespace) -> None:
    if flags.json:
        rows = [{"name": entry.name, "summary": entry.summary} for entry in entries.values()]
        print(json.dumps(rows, indent=2))
        return
    width = max(map(len, entries))
    for entry in entries.values():
        print(f"{entry.name:{width}}  {entry.summary}")


def _inspect(flags: argparse.Namespace) -> None:
    from saccade_models.inspection import describe, open_artifact, verify

    artifact = open_artifact(flags.artifact)
    for heading, text in describe(artifact):
        print(f"{heading:<12}{text}")
    found = verify(artifact)
    errors = ", ".join(f"{kind} off by {error:.1g}" for kind, error in found.max_abs_errors.items())
    print(f"{'verified':<12}{found.files} checksums; {found.samples} golden samples: {errors}")


def _samples(flags: argparse.Namespace) -> None:
    from saccade_models.samples import write_samples

    files = write_samples(load_dataset(flags.dataset), flags.count, flags.output)
    print(f"{len(files)} images in {flags.output}, named <position>-<class label>.png")


def _quieten_tensorflow() -> None:
    """Keeps TensorFlow from logging processor features; errors still show.

    Set before TensorFlow is imported, or it has no effect.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")


def _fail(message: str, code: int) -> int:
    print(f"saccade-models: {message}", file=sys.stderr)
    return code
