"""What the processor can do without any service: loops over the engines and the decoder.

Run as a program, it obeys one job a line (JSON) on its standard input: the measuring process has
one of these for each engine, so that LiteRT is measured without TensorFlow in its memory.
"""

import itertools
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade_server.artifact import Artifact, read_artifact
from saccade_server.engines import Engine, load_engine
from saccade_server.imaging import decode_image
from saccade_server.loading import FormStore

WARM_UP_CALLS = 2
WARM_UP_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One loop.

    Attributes:
        kind: "litert", "tensorflow" or "decode".
        batch: Images in a call.
        callers: Threads that call; for LiteRT each has an interpreter.
        threads: That one call uses.
        files: To decode, in turns.
    """

    seconds: float
    kind: str = "litert"
    batch: int = 1
    callers: int = 1
    threads: int = 1
    files: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """What a loop reached; times are of one call."""

    images_per_s: float
    p50_s: float
    p99_s: float


Call = Callable[[], object]
Values = NDArray[np.uint8 | np.float32]


class CeilingProcess:
    """The other process, as the measuring one sees it.

    Args:
        artifact: The version's folder.
    """

    def __init__(self, artifact: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.ceiling", str(artifact)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, job: Job) -> Ceiling:
        """Runs a loop.

        Raises:
            ChildProcessError: The process has ended; it said why.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(job)) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise ChildProcessError(f"the ceiling process ended in {job}")
        return Ceiling(**json.loads(answer))

    def close(self) -> None:
        """Ends the process."""
        self._process.communicate()


@contextmanager
def ceiling_process(artifact: Path) -> Iterator[CeilingProcess]:
    """A process that ends with the block."""
    process = CeilingProcess(artifact)
    try:
        yield process
    finally:
        process.close()


def measure_calls(calls: list[Call], images: int, seconds: float) -> Ceiling:
    """Runs each of the calls in a thread of its own, again and again.

    Args:
        calls: Already warm.
        images: That one call treats.
        seconds: How long.
    """
    taken: list[list[float]] = [[] for _ in calls]
    started = time.perf_counter()

    def loop(call: Call, times: list[float]) -> None:
        now = time.perf_counter()
        while now - started < seconds:
            call()
            before, now = now, time.perf_counter()
            times.append(now - before)

    threads = [threading.Thread(target=loop, args=pair) for pair in zip(calls, taken, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = np.concatenate([np.asarray(each) for each in taken])
    # A caller's rate over its own time: the last calls end at different moments.
    rate = sum(len(each) * images / sum(each) for each in taken)
    p50, p99 = np.quantile(times, (0.5, 0.99))
    return Ceiling(images_per_s=rate, p50_s=float(p50), p99_s=float(p99))


class _Loops:
    """Makes the calls of jobs; keeps what is loaded."""

    def __init__(self, artifact: Artifact) -> None:
        self._artifact = artifact
        self._engines: dict[tuple[str, int, int], Engine] = {}
        self._warm: set[tuple[Any, ...]] = set()

    def run(self, job: Job) -> Ceiling:
        """Runs one job."""
        if job.kind == "decode":
            data = [Path(file).read_bytes() for file in job.files]
            calls = [self._decoding(data) for _ in range(job.callers)]
        else:
            spec = self._artifact.input
            pixels = np.random.default_rng(0).integers(0, 256, (job.batch, *spec.shape), np.uint8)
            calls = [self._predicting(job, pixels, i) for i in range(job.callers)]
        key = job.kind, job.batch, job.callers, job.threads
        if key not in self._warm:
            self._warm.add(key)
            for call in calls * WARM_UP_CALLS:
                call()
        return measure_calls(calls, job.batch, job.seconds)

    def _predicting(self, job: Job, pixels: NDArray[np.uint8], caller: int) -> Call:
        engine = self._engine(job, caller)
        values: Values = pixels.astype(self._artifact.input.dtype)
        return lambda: engine.predict(values)

    def _decoding(self, data: list[bytes]) -> Call:
        turns = itertools.cycle(data)
        return lambda: decode_image(next(turns), self._artifact.input)

    def _engine(self, job: Job, caller: int) -> Engine:
        # TensorFlow's one engine serves many threads.
        key = job.kind, job.threads, caller if job.kind == "litert" else 0
        if key not in self._engines:
            form = FormStore(self._artifact.path).find(self._artifact)
            self._engines[key] = load_engine(
                self._artifact, job.kind, form=form, threads=job.threads
            )
        return self._engines[key]


def main() -> None:
    """Obeys until its standard input ends."""
    loops = _Loops(read_artifact(Path(sys.argv[1])))
    for line in sys.stdin:
        found = loops.run(Job(**json.loads(line)))
        sys.stdout.write(json.dumps(asdict(found)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
