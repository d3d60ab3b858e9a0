"""Closed-loop load by h2load, a C program: it costs little of the machine it shares.

Each caller has a connection of its own and sends its next request when the last was answered.
h2load sees HTTP only; that the answers are right is checked apart, before and after.
"""

import re
import resource
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .grpc_request import HEADERS, Request

COMMAND = "h2load"
HOW_TO_GET = "h2load is missing: apt-get install nghttp2-client"

WARM_SHARE = 0.2
"""Of a run, that only fills the server's queue."""

Seconds = NDArray[np.float64]

_REQUESTS = re.compile(r"requests: .* (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored")
_DATA = re.compile(r"\((\d+)\) data")


class LoadError(Exception):
    """A load generator or a server failed; the figures would mean nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one run of h2load found.

    Attributes:
        requests: Answered.
        answer_bytes: Of message data in all answers, gRPC's prefixes included.
        rate: Answers a second in the steady part.
        latencies: Seconds of each request that ended in the steady part.
        cpu_s: Processor seconds of h2load itself.
    """

    requests: int
    answer_bytes: int
    rate: float
    latencies: Seconds
    cpu_s: float


def is_installed() -> bool:
    """Whether h2load can be run."""
    return shutil.which(COMMAND) is not None


def run_h2load(address: str, request: Request, *, callers: int, seconds: float) -> Load:
    """Keeps `callers` requests under way for `seconds`.

    Raises:
        LoadError: h2load failed, or an answer was not HTTP 200.
    """
    with tempfile.TemporaryDirectory() as folder:
        body, log = Path(folder) / "body", Path(folder) / "log"
        body.write_bytes(request.body)
        headers = [f"--header={name}: {value}" for name, value in HEADERS.items()]
        command = [
            COMMAND, f"--clients={callers}", "--max-concurrent-streams=1",
            f"--duration={round(seconds * 1e3)}ms", f"--data={body}", f"--log-file={log}", *headers,
            f"http://{address}{request.api.path}",
        ]  # fmt: skip
        before = children_cpu_s()
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=seconds + 30
        )
        cpu_s = children_cpu_s() - before
        if done.returncode:
            raise LoadError(f"h2load failed: {done.stderr or done.stdout}")
        requests, answer_bytes = parse_summary(done.stdout)
        latencies = steady_latencies(*parse_log(log.read_text()), seconds=seconds)
        return Load(
            requests=requests,
            answer_bytes=answer_bytes,
            rate=len(latencies) / (seconds * (1 - WARM_SHARE)),
            latencies=latencies,
            cpu_s=cpu_s,
        )


def parse_summary(text: str) -> tuple[int, int]:
    """Requests answered and message bytes received, from what h2load prints.

    Raises:
        LoadError: A request failed, or there is no summary.
    """
    requests, data = _REQUESTS.search(text), _DATA.search(text)
    if not requests or not data:
        raise LoadError(f"h2load printed no summary: {text[-500:]!r}")
    done, succeeded, failed, errored = map(int, requests.groups())
    if failed or errored or done != succeeded:
        raise LoadError(f"requests failed: {requests.group()}")
    return done, int(data.group(1))


def parse_log(text: str) -> tuple[Seconds, Seconds]:
    """Start and duration of each good request, from h2load's log: start, HTTP status, duration."""
    rows = [line.split("\t") for line in text.splitlines()]
    good = [(int(row[0]), int(row[2])) for row in rows if row[1] == "200"]
    starts, durations = np.array(good, np.float64).reshape(-1, 2).T / 1e6
    return starts, durations


def steady_latencies(starts: Seconds, durations: Seconds, *, seconds: float) -> Seconds:
    """Durations of those that ended after the first WARM_SHARE of the run.

    At the end some requests are under way and never counted. At the start of this part as many
    are, and are: what is counted, by the length of the part, is the rate without bias.
    """
    if not len(starts):
        return durations
    ended = starts + durations - starts.min()
    steady: Seconds = durations[(ended > WARM_SHARE * seconds) & (ended <= seconds)]
    return steady


def children_cpu_s() -> float:
    """Processor seconds of children that have ended; the servers are children too, but run on."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
