"""Several worker processes behind one pair of ports, kept alive by a parent that serves nothing.

The workers are whole servers that share their ports (SO_REUSEPORT): the kernel spreads connections
over them. The parent holds the ports' numbers, starts the workers, starts again those that die, and
passes signals on. Workers end when the parent does, however it ends: each watches a pipe from it.
"""

import asyncio
import logging
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from saccade_server.config import ServerConfig
from saccade_server.cpus import available_cpus
from saccade_server.errors import ConfigError
from saccade_server.metrics.remains import bury, worker_name

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
"""Before a worker that died is started again; doubled each time it dies soon."""


@dataclass(slots=True, kw_only=True)
class _Worker:
    """One worker's place: the process in it changes when it dies."""

    index: int
    process: asyncio.subprocess.Process | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)


class Supervisor:
    """Runs `config.workers` servers as one.

    Args:
        config: The settings.
        flags: The command line's, handed on to the workers.
    """

    def __init__(self, config: ServerConfig, flags: Sequence[str]) -> None:
        self._config = config
        self._flags = list(flags)
        self._workers = [_Worker(index=index) for index in range(config.workers)]
        self._stopping = asyncio.Event()
        self._failure: ConfigError | None = None

    async def run(self, announce: Callable[[str], None]) -> None:
        """Serves until a signal, then lets the workers drain.

        Args:
            announce: Gets the ready line once all workers are ready.

        Raises:
            ConfigError: A worker refused its settings or models when it was first started.
            OSError: A port is taken.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_signal, number)
        with ExitStack() as stack:
            family = stack.enter_context(tempfile.TemporaryDirectory(prefix="saccade-"))
            ports = [
                stack.enter_context(_reserve(self._config.host, port)).getsockname()[1]
                for port in (self._config.grpc_port, self._config.http_port)
            ]
            keeping = [
                asyncio.create_task(self._keep(worker, ports, family)) for worker in self._workers
            ]
            announcing = asyncio.create_task(self._announce(announce, ports))
            await asyncio.gather(*keeping)
            announcing.cancel()
        if self._failure:
            raise self._failure
        log.info("all workers stopped")

    async def _announce(self, announce: Callable[[str], None], ports: list[int]) -> None:
        for worker in self._workers:
            await worker.ready.wait()
        host = self._config.host
        announce(f"ready grpc={host}:{ports[0]} http={host}:{ports[1]}")

    async def _keep(self, worker: _Worker, ports: list[int], family: str) -> None:
        """Has one worker running until the server stops."""
        pause_s = FIRST_PAUSE_S
        clock = asyncio.get_running_loop().time
        while not self._stopping.is_set():
            started = clock()
            code = await self._run_worker(worker, ports, family)
            self._bury(worker, Path(family))
            if self._stopping.is_set():
                return
            if not worker.ready.is_set():
                # Its settings or its models are wrong, and so they would be the next time.
                self._failure = ConfigError(f"worker {worker.index} did not start (code {code})")
                self._on_signal(signal.SIGINT)
                return
            log.error("worker %d ended with code %d; it is started again", worker.index, code)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause_s)
            lived_long = clock() - started > LONGEST_PAUSE_S
            pause_s = FIRST_PAUSE_S if lived_long else min(2 * pause_s, LONGEST_PAUSE_S)

    def _bury(self, worker: _Worker, family: Path) -> None:
        """Keeps the counters of a worker that has ended."""
        if worker.process is not None:
            try:
                bury(family, worker_name(worker.index, worker.process.pid))
            except OSError as error:
                log.warning("the counters of worker %d are lost: %s", worker.index, error)

    async def _run_worker(self, worker: _Worker, ports: list[int], family: str) -> int:
        """Runs one process to its end; returns its exit code."""
        grpc_port, http_port = map(str, ports)
        worker.process = process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "saccade_server", "serve", *self._flags),
            *("--workers", "1", "--grpc-port", grpc_port, "--http-port", http_port),
            *("--family", family, "--index", str(worker.index)),
            *self._shares(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # Not in the terminal's process group: Ctrl-C would reach the workers twice.
            start_new_session=True,
        )
        if self._stopping.is_set():
            # The signal came while it was being started, and has passed it by.
            process.send_signal(signal.SIGTERM)
        assert process.stdout  # noqa: S101 - asked for above
        async for line in process.stdout:
            if line.startswith(b"ready "):
                worker.ready.set()
        return await process.wait()

    def _shares(self) -> list[str]:
        """Each worker's share of the processors, where the settings leave that to us."""
        share = str(max(1, available_cpus() // self._config.workers))
        flags = [] if self._config.engine_threads else ["--engine-threads", share]
        return flags if self._config.decode_threads else [*flags, "--decode-threads", share]

    def _on_signal(self, number: signal.Signals) -> None:
        """Passes the signal on. The second one makes the workers end at once, and so the parent."""
        self._stopping.set()
        for worker in self._workers:
            if worker.process and worker.process.returncode is None:
                worker.process.send_signal(number)


def _reserve(host: str, port: int) -> socket.socket:
    """Holds a port without listening: the workers can bind it, nobody else can take it."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    reserved = socket.socket(family, socket.SOCK_STREAM)
    try:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind(address)
    except OSError as error:
        reserved.close()
        raise OSError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return reserved
