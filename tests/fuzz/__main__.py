"""Fuzzes a part of the server, guided by what its code does: `python -m tests.fuzz TARGET`."""

import argparse
import hashlib
import importlib.util
import shutil
import sys
import tempfile
import time
from pathlib import Path

from .catalogue import Check, load, names, regressions

_HERE = Path(__file__).parent
REQUIREMENTS = _HERE / "requirements.txt"
INSTRUMENTED = ("saccade_server", "PIL", "google")
"""The packages in whose code new ways are looked for."""

MAX_INPUT_BYTES = 64 << 10
MAX_MEMORY_MB = 2048
MAX_CPU_S = 0.5
"""For an input of that size."""

HANG_S = 60


class TooSlow(AssertionError):
    """An input took more of the processor than any request of its size should."""


def main() -> int:
    """Runs the command; ends by itself, with 0 where nothing was found."""
    given = _parser().parse_args()
    if importlib.util.find_spec("atheris") is None:
        print(f"nothing to fuzz with: pip install -r {REQUIREMENTS.relative_to(_HERE.parents[1])}")
        return 2
    import atheris

    # For the tests' fixtures, which the targets are made of.
    sys.path.insert(0, str(_HERE.parent))
    with atheris.instrument_imports(include=list(INSTRUMENTED)):
        target = load(given.target)
    corpus, work = (given.output / given.target / name for name in ("corpus", "work"))
    # The fuzzer ends the process without another word, so what the last run left is removed now.
    shutil.rmtree(work, ignore_errors=True)
    for folder in (corpus, work):
        folder.mkdir(parents=True, exist_ok=True)
    tempfile.tempdir = str(work)
    for data in (*target.seeds(), *regressions(given.target)):
        (corpus / hashlib.sha256(data).hexdigest()).write_bytes(data)
    flags = (
        f"-max_total_time={given.seconds}",
        f"-max_len={MAX_INPUT_BYTES}",
        "-len_control=10",
        f"-rss_limit_mb={MAX_MEMORY_MB}",
        f"-timeout={HANG_S}",
        f"-artifact_prefix={corpus.parent}/",
        "-print_final_stats=1",
    )
    with target.opened() as check:
        atheris.Setup([sys.argv[0], *flags, str(corpus)], _timed(check))
        atheris.Fuzz()
    return 0


def _timed(check: Check) -> Check:
    def run(data: bytes) -> None:
        started = time.thread_time()
        check(data)
        if (spent_s := time.thread_time() - started) > MAX_CPU_S:
            raise TooSlow(f"{spent_s:.1f} s for {len(data)} bytes")

    return run


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=names())
    parser.add_argument("--seconds", type=int, default=180, help="how long (default: 180)")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("build/fuzz"),
        help="where what leads on is kept, and what does harm (default: build/fuzz)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
