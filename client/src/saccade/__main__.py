"""The command `saccade`: its flags and how it ends. What it does stands in `cli`.

Exit codes, which scripts may rely on:

    0    done; `health`: serving
    1    `classify`: at least one image failed; `health`: not serving or not reachable
    2    wrong usage: a flag, or no image found
    3    the call failed: server not reachable, request refused, timeout, unknown model
    130  interrupted
    141  nobody reads the output any more
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    parsed = build_parser().parse_args(arguments)
    # Loads gRPC and NumPy, which --help and a wrong flag need not wait for.
    from saccade import cli
    from saccade._errors import InputError, SaccadeError

    try:
        return cli.run(parsed)
    except InputError as error:
        print(f"saccade: {error}", file=sys.stderr)
        return 2
    except SaccadeError as error:
        code = error.code.name if error.code else "failed"
        print(f"saccade: {parsed.server}: {code}: {error}", file=sys.stderr)
        return 1 if parsed.command == "health" else 3
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Python flushes once more at its end, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def build_parser() -> argparse.ArgumentParser:
    """All flags of all commands."""
    connection = _connection_flags()
    parser = argparse.ArgumentParser(
        prog="saccade", description="Ask a Saccade server what is in images."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    classify = commands.add_parser(
        "classify",
        parents=[connection],
        help="classify image files",
        epilog="Exit code: 0 all classified, 1 an image failed, 2 wrong usage, 3 the call failed.",
    )
    classify.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="an image file, or a folder that is searched for them",
    )
    classify.add_argument("--model", help="default: the only one that the server has")
    chosen = classify.add_mutually_exclusive_group()
    chosen.add_argument("--version", type=int, help="default: the newest that is ready")
    chosen.add_argument("--label", help="a movable name of a version, such as stable")
    classify.add_argument("--top-k", type=int, metavar="K", help="classes an image (default: 5)")
    _add_json(classify, "image")
    models = commands.add_parser("models", parents=[connection], help="list the server's models")
    _add_json(models, "model")
    health = commands.add_parser(
        "health",
        parents=[connection],
        help="ask whether the server is ready",
        epilog="Exit code: 0 serving, 1 not serving or not reachable, 2 wrong usage.",
    )
    health.add_argument("--model", help="ask about this model only")
    return parser


def _connection_flags() -> argparse.ArgumentParser:
    flags = argparse.ArgumentParser(add_help=False)
    group = flags.add_argument_group("connection")
    group.add_argument(
        "--server",
        metavar="HOST:PORT",
        default=os.environ.get("SACCADE_SERVER") or "localhost:8500",
        help="or any other target of gRPC (SACCADE_SERVER, default: localhost:8500)",
    )
    group.add_argument(
        "--timeout",
        type=float,
        metavar="S",
        default=10.0,
        help="seconds for a call, retries included (default: 10)",
    )
    token = group.add_mutually_exclusive_group()
    token.add_argument(
        "--token",
        help="bearer token; safer in SACCADE_TOKEN or a file, where other users do not see it",
    )
    token.add_argument("--token-file", type=Path, metavar="FILE", help="holds the bearer token")
    group.add_argument(
        "--allow-plaintext-token",
        action="store_true",
        help="send it to other machines without TLS too: for networks that encrypt by themselves",
    )
    group.add_argument("--tls", action="store_true", help="encrypt; implied by the flags below")
    group.add_argument("--tls-ca", type=Path, metavar="FILE", help="PEM: whom to trust")
    group.add_argument("--tls-cert", type=Path, metavar="FILE", help="PEM: our certificate")
    group.add_argument("--tls-key", type=Path, metavar="FILE", help="PEM: its private key")
    return flags


def _add_json(parser: argparse.ArgumentParser, thing: str) -> None:
    parser.add_argument("--json", action="store_true", help=f"print one JSON object a {thing}")


if __name__ == "__main__":
    sys.exit(main())
