"""The servers that are compared: how each is started, watched and stopped."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .grpc_request import NATIVE, Api
from .h2load import LoadError

READY_S = 120.0
EXIT_S = 20.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
"""Of /proc/PID/stat."""

OURS = (
    str(Path(sys.executable).with_name("saccade-server")),
    "serve", "--model-repository={repository}", "--grpc-port=0", "--http-port=0",
    "--linger-s=0", "--log-level=error",
)  # fmt: skip
NAIVE = sys.executable, str(Path(__file__).with_name("naive_server.py")), "{artifact}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A server with a name.

    Attributes:
        command: Starts it; `{repository}` stands for the model repository, `{artifact}` for the
            version's folder in it. It prints `ready grpc=HOST:PORT` when it answers.
        api: Which it is asked by.
        optional: Whether the others are compared without it where it does not start.
    """

    name: str
    command: tuple[str, ...] = field(repr=False)
    api: Api = NATIVE
    optional: bool = False


NAIVE_SERVER = Contender(name="naive", command=NAIVE)


def our_server(name: str, flags: tuple[str, ...] = ()) -> Contender:
    """The server of this project with more flags; a later flag wins."""
    return Contender(name=name, command=(*OURS, "--engine=litert", *flags))


HTTP2_FLAGS = ("--transport=http2",)
GRPCIO = our_server("grpcio")
HTTP2 = our_server("http2", HTTP2_FLAGS)
"""Our server by each of its transports; the second one is the quicker."""


class RunningServer:
    """A contender's process, ready.

    Args:
        contender: What to start.
        artifact: The version's folder that it serves.

    Raises:
        LoadError: It did not become ready; the text is the end of its log.
    """

    def __init__(self, contender: Contender, artifact: Path) -> None:
        self.name = contender.name
        self.api = contender.api
        places = {"artifact": str(artifact), "repository": str(artifact.parents[1])}
        command = [part.format(**places) for part in contender.command]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._log: list[str] = []
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        self.address = ""

    def wait_ready(self) -> None:
        """Waits for the line that tells the address.

        Raises:
            LoadError: It ended instead, or took too long.
        """
        assert self._process.stdout is not None
        impatience = threading.Timer(READY_S, self._process.kill)
        impatience.start()
        for line in self._process.stdout:
            if line.startswith("ready "):
                self.address = dict(word.split("=") for word in line.split()[1:])["grpc"]
                break
        impatience.cancel()
        if not self.address:
            self.stop()
            raise LoadError(f"{self.name} did not start: {''.join(self._log[-8:])}")

    @property
    def cpu_s(self) -> float:
        """Processor seconds so far, of its processes together."""
        return sum(map(cpu_s, self._pids()))

    @property
    def memory_mb(self) -> float:
        """Resident memory, in MB of 10**6 bytes; shared pages count once a process."""
        return sum(map(_resident_bytes, self._pids())) / 1e6

    def stop(self) -> None:
        """Ends it; may be called again."""
        self._process.terminate()
        try:
            self._process.wait(EXIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()

    def _pids(self) -> list[int]:
        pids = [self._process.pid]
        for pid in pids:  # It grows meanwhile.
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                pids.extend(map(int, task.read_text().split()))
        return pids

    def _read_log(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._log.append(line)


@contextmanager
def running(
    starts: list[tuple[Contender, Path]], left_out: dict[str, str] | None = None
) -> Iterator[list[RunningServer]]:
    """All of them at the same time, ready; the idle ones cost nothing.

    Args:
        starts: Each with the version's folder that it serves.
        left_out: Takes the names of optional ones that did not start, and why.

    Raises:
        LoadError: One did not start.
    """
    servers: list[RunningServer] = []
    ready: list[RunningServer] = []
    try:
        for contender, artifact in starts:
            servers.append(RunningServer(contender, artifact))
        for (contender, _), server in zip(starts, servers, strict=True):
            try:
                server.wait_ready()
                ready.append(server)
            except LoadError as error:
                if left_out is None or not contender.optional:
                    raise
                left_out[contender.name] = str(error)
        yield ready
    finally:
        for server in servers:
            server.stop()


def cpu_s(pid: int) -> float:
    """Processor seconds of a process so far."""
    # The name, in brackets, may hold blanks.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def _resident_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0
