"""Compares the server with a naive one and with the bare engines: `make bench`."""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from itertools import groupby
from pathlib import Path

from rich.console import Console

from saccade_server.cpus import available_cpus

from .contenders import GRPCIO, HTTP2, Contender, our_server
from .generator import build_generator
from .ground import Settings, prepared
from .h2load import HOW_TO_GET, LoadError, is_installed
from .machine import describe_machine
from .pictures import Pictures, make_pictures, read_pictures
from .report import checks_table, figures_table, to_json
from .rows import ROWS, Row, starts
from .targets import Found
from .triton import triton_contenders

PICTURES = 8
WIDTH = 120
"""Of the tables, where there is no terminal."""

DATA_VARIABLE = "SACCADE_BENCH_DATA"


def main() -> int:
    """Runs the command; returns its exit code: 0 unless something failed, targets aside."""
    given = _parser().parse_args()
    show = Console()
    if not show.is_terminal:
        show.width = WIDTH
    if not is_installed():
        show.print(f"nothing to measure with: {HOW_TO_GET}")
        return 2
    # So that a run which is ended early leaves no server behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    machine = describe_machine()
    show.print(machine)
    if os.getloadavg()[0] > available_cpus() / 4:
        show.print("[bold]This machine has other work: the figures will mislead.")
    settings = Settings(
        rounds=given.rounds,
        seconds=given.seconds,
        variants=(GRPCIO, HTTP2, *map(_variant, given.variant)),
        peers=triton_contenders(),
        pictures=_pictures(given.data_dir),
        models=given.output.parent / "bench",
        generator=build_generator(given.output.parent / "bench"),
    )
    rows = [
        row
        for row in ROWS
        if any(map(row.name.startswith, given.only)) or (row.usual and not given.only)
    ]
    started = time.monotonic()
    _make_models(settings, rows)
    results, skipped = _measure(settings, rows, show)
    show.print(checks_table(results))
    for name, reason in skipped.items():
        show.print(f"{name}: skipped: {reason}")
    if not settings.peers:
        show.print("Triton was not measured: it is not installed (make triton)")
    if settings.generator is None:
        show.print("open loops are Python's, which costs them more: there is no C compiler (cc)")
    seconds = time.monotonic() - started
    facts = {
        "rounds": given.rounds,
        "seconds": given.seconds,
        "pictures": settings.pictures.source,
        "open_loop": "Python" if settings.generator is None else "C",
        "variants": {variant.name: variant.command[1:] for variant in settings.variants},
        "took_s": round(seconds, 1),
    }
    document = to_json(machine, facts, results, skipped)
    given.output.write_text(json.dumps(document, indent=1) + "\n")
    show.print(f"{seconds:.0f} s; pictures: {settings.pictures.source}; wrote {given.output}")
    return 1 if skipped else 0


def _measure(
    settings: Settings, rows: list[Row], show: Console
) -> tuple[dict[str, Found], dict[str, str]]:
    """The rows' results, and why others have none."""
    results: dict[str, Found] = {}
    skipped: dict[str, str] = {}
    for _, group in groupby(rows, key=lambda row: row.model):
        together = list(group)
        try:
            with prepared(settings, starts(together, settings)) as ground:
                for name, reason in ground.left_out.items():
                    show.print(f"{name}: left out: {reason}")
                for row in together:
                    try:
                        found = row.measure(ground)
                        ground.check_again()
                        results[row.name] = found
                        show.print(figures_table(row.title, found))
                    except (LoadError, ChildProcessError, ConnectionError) as error:
                        skipped[row.name] = str(error)
        except LoadError as error:
            skipped |= {row.name: str(error) for row in together if row.name not in results}
    return results, skipped


def _make_models(settings: Settings, rows: list[Row]) -> None:
    """Makes those that are missing, in a process that may import TensorFlow."""
    names = dict.fromkeys(
        name for row in rows for name in (row.model, *(other.model for other in row.variants))
    )
    missing = [name for name in names if not (settings.models / name).exists()]
    if missing:
        command = [sys.executable, "-m", f"{__package__}.artifacts", str(settings.models)]
        subprocess.run([*command, *missing], check=True)


def _pictures(folder: Path | None) -> Pictures:
    return read_pictures(folder, PICTURES) if folder else make_pictures(PICTURES)


def _variant(text: str) -> Contender:
    name, _, flags = text.partition("=")
    return our_server(name, tuple(flags.split()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME",
        help=f"rows whose name begins so; repeatable: {', '.join(row.name for row in ROWS)}",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, default=3, help="of each row")
    parser.add_argument("--seconds", type=float, default=0.9, help="of one measurement")
    parser.add_argument(
        "--variant", action="append", default=[], metavar="NAME=FLAGS",
        help="one more of our servers, such as 'two=--engine-workers=2'; repeatable",
    )  # fmt: skip
    folder = os.environ.get(DATA_VARIABLE)
    parser.add_argument(
        "--data-dir", type=Path, default=Path(folder) if folder else None, metavar="DIR",
        help=f"folder of photographs (*.jpg); {DATA_VARIABLE}; none: made pictures",
    )  # fmt: skip
    parser.add_argument("--output", type=Path, default=Path("build/bench.json"), help="JSON file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
