"""Work on stores, in processes of their own.

Tasks:

    look   answers questions, a line of JSON each, until its standard input ends
    fetch  downloads one version; a line for each sign of progress, the last one the result

Each ends when the server does, however that ends: it watches a pipe from it.
"""

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from saccade_server.errors import ArtifactError, ConfigError, IncompleteArtifact
from saccade_server.stores.download import Download, Unquiet
from saccade_server.stores.layout import file_list
from saccade_server.stores.listing import list_files, list_models, list_versions
from saccade_server.stores.store import Away, Store, open_store

NICENESS = 5
"""Of downloads: requests go first."""

TELL_S = 1.0
"""Between two signs of progress at least."""

_KINDS: list[tuple[type[Exception], str]] = [
    (ConfigError, "config"),
    (Away, "away"),
    (Unquiet, "unquiet"),
    (IncompleteArtifact, "incomplete"),
    (ArtifactError, "wrong"),
    (OSError, "disk"),
]
"""What the server makes of errors, the narrower ones first."""


def main() -> int:
    """Does one task. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    tasks = parser.add_subparsers(dest="task", required=True)
    tasks.add_parser("look")
    fetch = tasks.add_parser("fetch")
    fetch.add_argument("url")
    fetch.add_argument("version", type=Path)
    fetch.add_argument("--mirrors", type=Path, required=True)
    fetch.add_argument("--max-bytes", type=int, required=True)
    fetch.add_argument("--quiet", action="store_true")
    given = parser.parse_args()
    if given.task == "look":
        _answer_questions()
    else:
        if hasattr(os, "nice"):
            os.nice(NICENESS)
        _say({})
        threading.Thread(target=_end_with_server, daemon=True).start()
        _say(_attempt(lambda: {"bytes": _fetch(given)}))
    sys.stdout.flush()
    # Connections of a store's library may have threads that never end.
    os._exit(0)


def _answer_questions() -> None:
    """One after the other: the next one is asked when the last one is answered."""
    stores: dict[str, Store] = {}

    def answer(question: dict[str, str]) -> None:
        _say(_attempt(lambda: {"found": _look(stores, question["task"], question["url"])}))

    # This thread reads on, so that it notices the end of the server even in a request.
    for line in sys.stdin:
        threading.Thread(target=answer, args=(json.loads(line),), daemon=True).start()


def _look(stores: dict[str, Store], task: str, url: str) -> Any:
    if task == "files":
        return file_list(list_files(open_store(url)))
    if url not in stores:
        stores[url] = open_store(url)
    return (list_models if task == "models" else list_versions)(stores[url])


def _fetch(given: argparse.Namespace) -> int:
    told_s = 0.0

    def tell() -> None:
        nonlocal told_s
        now_s = time.monotonic()
        if now_s - told_s > TELL_S:
            told_s = now_s
            _say({})

    return Download(
        store=open_store(given.url),
        version=given.version,
        mirrors=given.mirrors,
        max_bytes=given.max_bytes,
        is_quiet=given.quiet,
        tell=tell,
    ).run()


def _attempt(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What it gives, or what the server is to know of its error."""
    try:
        return work()
    except (ConfigError, ArtifactError, OSError) as error:
        kind = next(name for each, name in _KINDS if isinstance(error, each))
        return {"error": kind, "text": str(error)}
    except Exception as error:  # noqa: BLE001
        # The edge: the server logs it, and libraries of stores have errors of all kinds.
        return {"error": "away", "text": f"{type(error).__name__}: {error}"}


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


def _end_with_server() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
