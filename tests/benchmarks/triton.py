"""Triton beside us: optional, installed by `make triton` into a folder of its own.

Triton's C++ core, as the wheel of PyTriton carries it, with its Python backend and the SavedModel
on TensorFlow in it; batches are put together by Triton (dynamic batching without a delay).
"""

import sys
from pathlib import Path

from .contenders import Contender
from .grpc_request import INFERENCE

INSTALLED = Path("build/triton")
"""Where `make triton` puts it, from the project's root."""

_SERVER = sys.executable, "-m", "tests.benchmarks.triton_server"


def triton_contenders() -> tuple[Contender, ...]:
    """One instance on all processors, and one on each; none if Triton is not installed."""
    if not INSTALLED.exists():
        return ()
    return (
        _contender("triton"),
        _contender("triton, 2 instances", "--instances=2", "--threads=1"),
    )


def _contender(name: str, *flags: str) -> Contender:
    return Contender(
        name=name,
        command=(*_SERVER, str(INSTALLED), "{artifact}", *flags),
        api=INFERENCE,
        optional=True,
    )
