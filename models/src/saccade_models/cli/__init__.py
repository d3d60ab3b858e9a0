"""The `saccade-models` command: flags in, text out. What is done stands in the other modules.

Each command is a module here with a SUMMARY, `add_flags` and `run`. TensorFlow takes seconds to
import and is imported only by the commands that compute, in their `run`.
"""

import argparse
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NoReturn, Protocol

from saccade_models.cli import (
    adopt,
    datasets,
    evaluate,
    inspect,
    networks,
    quicken,
    samples,
    train,
)
from saccade_models.errors import ConfigError, Interrupted, ModelsError
from saccade_server.errors import ArtifactError, EngineError


class Command(Protocol):
    """What a command's module has."""

    SUMMARY: str

    def add_flags(self, parser: argparse.ArgumentParser) -> None:
        """Declares the command's flags."""

    def run(self, flags: argparse.Namespace) -> None:
        """Does it; a ModelsError is told to the person in one line."""


COMMANDS: Mapping[str, Command] = MappingProxyType(
    {
        "train": train,
        "evaluate": evaluate,
        "adopt": adopt,
        "quicken": quicken,
        "networks": networks,
        "datasets": datasets,
        "inspect": inspect,
        "samples": samples,
    }
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Returns:
        The exit code: 0, 1 (it failed), 2 (wrong flags) or 130 (interrupted).
    """
    flags = _parser().parse_args(arguments)
    _prepare_tensorflow()
    # As Ctrl-C: what was begun is cleaned away.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        COMMANDS[flags.command].run(flags)
    except ModelsError as error:
        return _fail(str(error), error.exit_code)
    except (ArtifactError, EngineError) as error:
        return _fail(str(error), ModelsError.exit_code)
    except KeyboardInterrupt:
        return _fail("interrupted, nothing was written", Interrupted.exit_code)
    return 0


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(ConfigError.exit_code, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="saccade-models", description="Makes the artifacts that Saccade serves.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for name, command in COMMANDS.items():
        command.add_flags(
            commands.add_parser(
                name,
                help=command.SUMMARY,
                description=command.SUMMARY,
                formatter_class=argparse.ArgumentDefaultsHelpFormatter,
            )
        )
    return parser


def _prepare_tensorflow() -> None:
    """Keeps TensorFlow from logging processor features; errors still show.

    oneDNN's kernels are quicker in training and are off by default on some processors. Set before
    TensorFlow is imported, or it has no effect; what the environment says goes before.
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")


def _fail(message: str, code: int) -> int:
    print(f"saccade-models: {message}", file=sys.stderr)
    return code
