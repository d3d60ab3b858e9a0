"""The `saccade-server` command."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from saccade_server.config import ServerConfig, add_flags, parse_config
from saccade_server.errors import ConfigError
from saccade_server.logs import complain, set_up_logs
from saccade_server.memory import keep_freed
from saccade_server.supervisor import Supervisor

if TYPE_CHECKING:
    from saccade_server.registry import ModelConfig

SWITCH_S = 0.0005
"""For how long a thread may keep the interpreter from others that wait for it. Python's own 5 ms is
as long as many an engine call: engines would wait for the event loop for as long as they work."""

OPEN_FILES = 65_536


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code: 0 after a drain, 2 for wrong settings."""
    parser = argparse.ArgumentParser(prog="saccade-server", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser(
        "serve",
        help="serve the models of a repository",
        allow_abbrev=False,  # Or else a new setting could break the scripts of today.
    )
    add_flags(serve)
    # How a supervisor tells its workers of each other.
    serve.add_argument("--family", type=Path, help=argparse.SUPPRESS)
    serve.add_argument("--index", type=int, default=0, help=argparse.SUPPRESS)
    given = vars(parser.parse_args(arguments))
    try:
        config = parse_config(given, os.environ)
        set_up_logs(config.log_level, config.log_format, native=config.workers == 1)
        if config.workers > 1:
            flags = list(sys.argv[2:] if arguments is None else arguments[1:])
            asyncio.run(Supervisor(config, flags).run(_announce))
        else:
            run_server(config, given["family"], given["index"])
    except (ConfigError, OSError) as error:
        complain(f"saccade-server: {error}")
        return 2
    return 0


def run_server(
    config: ServerConfig,
    family: Path | None = None,
    index: int = 0,
    models: "Sequence[ModelConfig] | None" = None,
) -> None:
    """Serves in this process until a signal ends it; see `App`.

    Raises:
        ConfigError: Settings or models are wrong.
        OSError: A port is taken.
    """
    serving = _serve(config, family, index, models)
    if sys.platform == "win32":
        asyncio.run(serving)
    else:
        import uvloop

        uvloop.run(serving)


async def _serve(
    config: ServerConfig,
    family: Path | None,
    index: int,
    models: "Sequence[ModelConfig] | None",
) -> None:
    # Read by gRPC when it is imported: its handlers for fork do nothing for us, who only ever
    # start other programs, and log that they do nothing.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    # Below errors it logs what peers say as they go away: any bytes, line breaks among them.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    sys.setswitchinterval(SWITCH_S)
    keep_freed()
    _allow_connections()
    from saccade_server.app import App
    from saccade_server.metrics import Family

    await App(config, Family(family, index) if family else None, models).run(_announce)


def _allow_connections() -> None:
    """Lets the process have as many open files as it may: each connection is one.

    The usual number at the beginning, 1024, is less than what both ports take in a flood.
    """
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _announce(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
