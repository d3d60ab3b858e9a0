"""The open loop's generator in C, where there is a compiler: it costs less of the machine."""

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from . import frames
from .grpc_request import Request, request_headers
from .h2load import children_cpu_s
from .open_loop import CONNECTIONS, LAST_ANSWER_S, Answers, Times

SOURCE = Path(__file__).with_name("open_loop.c")
COMPILER = "cc"


def build_generator(folder: Path) -> Path | None:
    """The program, compiled anew if its source has changed; None: there is no compiler.

    Args:
        folder: Where it is put.

    Raises:
        subprocess.CalledProcessError: It does not compile.
    """
    if (compiler := shutil.which(COMPILER)) is None:
        return None
    program = folder / SOURCE.stem
    if not program.exists() or program.stat().st_mtime < SOURCE.stat().st_mtime:
        folder.mkdir(parents=True, exist_ok=True)
        flags = ("-O2", "-Wall", "-Wextra", "-Werror")
        subprocess.run([compiler, *flags, "-o", program, SOURCE, "-lm"], check=True)
    return program


def run_generator(
    program: Path,
    address: str,
    request: Request,
    intended: Times,
    *,
    deadline_s: float | None = None,
    connections: int = CONNECTIONS,
) -> Answers:
    """As `run_open_loop`, by the program.

    Raises:
        ConnectionError: A connection failed, or the peer said what the program does not understand.
    """
    host, _, port = address.rpartition(":")
    headers = request_headers(address, request.api.path, deadline_s)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        block, body, times, answers = (
            folder / each for each in ("block", "body", "times", "answers")
        )
        block.write_bytes(frames.encode_headers(headers))
        body.write_bytes(request.body)
        intended.astype(np.float64).tofile(times)
        numbers = (host, port, connections, deadline_s or 0, LAST_ANSWER_S)
        before = children_cpu_s()
        done = subprocess.run(
            [program, *map(str, numbers), block, body, times, answers],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        cpu_s = children_cpu_s() - before
        if done.returncode:
            raise ConnectionError(done.stderr.strip() or f"the generator ended: {done.returncode}")
        sent, ended, statuses = np.fromfile(answers).reshape(-1, 3).T
    return Answers(
        intended=intended,
        sent=sent,
        ended=ended,
        statuses=statuses.astype(np.int16),
        cpu_s=cpu_s,
    )
