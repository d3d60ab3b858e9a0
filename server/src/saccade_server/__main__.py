"""The `saccade-server` command."""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Sequence

from saccade_server.config import ServerConfig, add_flags, parse_config
from saccade_server.errors import ConfigError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code: 0 after a drain, 2 for wrong settings."""
    parser = argparse.ArgumentParser(prog="saccade-server", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve the models of a repository")
    add_flags(serve)
    given = vars(parser.parse_args(arguments))
    try:
        config = parse_config(given, os.environ)
        _set_up_logging(config)
        _run(config)
    except (ConfigError, OSError) as error:
        print(f"saccade-server: {error}", file=sys.stderr)
        return 2
    return 0


def _run(config: ServerConfig) -> None:
    if sys.platform == "win32":
        asyncio.run(_serve(config))
    else:
        import uvloop

        uvloop.run(_serve(config))


async def _serve(config: ServerConfig) -> None:
    # Read by gRPC when it is imported: its handlers for fork do nothing for us, who only ever
    # start other programs, and log that they do nothing.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    from saccade_server.app import App

    await App(config).run(lambda line: print(line, flush=True))


def _set_up_logging(config: ServerConfig) -> None:
    logging.basicConfig(
        level=config.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )
    logging.captureWarnings(capture=True)


if __name__ == "__main__":
    sys.exit(main())
