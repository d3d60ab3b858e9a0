"""Open-loop load: requests leave by a timetable, whether or not earlier ones were answered.

A request's latency counts from the moment at which it should have left, so that a server which
stalls is charged for everybody who would have come meanwhile (no coordinated omission).
"""

import gc
import select
import time
from collections import Counter, deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .connection import Connection
from .grpc_request import Request, request_headers

OK = 0
DEADLINE_EXCEEDED = 4
RESOURCE_EXHAUSTED = 8
OPEN = -1

CONNECTIONS = 8
LAST_ANSWER_S = 3.0
"""How long answers are waited for after the last request; those that come later stay OPEN."""

Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What became of the requests of one run, in the order of the timetable.

    Attributes:
        intended: Seconds from the start at which each should leave, shape (N,).
        sent: Seconds at which each left.
        ended: Seconds at which each was answered; infinite for those that were not.
        statuses: gRPC codes; OPEN for those not answered. DEADLINE_EXCEEDED also for those
            that the caller gave up.
        cpu_s: Processor seconds of the generator.
    """

    intended: Times
    sent: Times
    ended: Times
    statuses: NDArray[np.int16]
    cpu_s: float

    def latencies(self, status: int) -> Times:
        """Seconds from intended departure to answer, of those with that status."""
        chosen = self.statuses == status
        latencies: Times = (self.ended - self.intended)[chosen]
        return latencies

    def rate(self, seconds: float) -> float:
        """Good answers a second that came in the first `seconds`."""
        return float(np.sum((self.statuses == OK) & (self.ended <= seconds)) / seconds)

    def counts(self) -> dict[int, int]:
        """How many had each status."""
        return dict(Counter(self.statuses.tolist()))


def poisson_times(rate: float, seconds: float, seed: int) -> Times:
    """Arrivals of a Poisson process of `rate` a second in [0, seconds), ascending."""
    random = np.random.default_rng(seed)
    expected = rate * seconds
    count = int(expected + 6 * expected**0.5 + 10)
    times = np.cumsum(random.exponential(1 / rate, count))
    early: Times = times[times < seconds]
    return early


def run_open_loop(
    address: str,
    request: Request,
    intended: Times,
    *,
    deadline_s: float | None = None,
    connections: int = CONNECTIONS,
) -> Answers:
    """Sends a copy of the request at each of the times.

    Args:
        address: HOST:PORT.
        request: What to send.
        intended: Seconds from the start, ascending.
        deadline_s: Told to the server; the caller gives up after it.
        connections: Take the requests in turns.

    Raises:
        ConnectionError: A connection failed.
    """
    headers = request_headers(address, request.api.path, deadline_s)
    lines = [Connection(address, headers, request.body) for _ in range(connections)]
    gc.disable()
    try:
        return _Run(lines, intended, deadline_s).run()
    finally:
        gc.enable()
        for line in lines:
            line.close()


class _Run:
    """One run of the timetable over open connections."""

    def __init__(self, lines: list[Connection], intended: Times, deadline_s: float | None) -> None:
        self._lines = lines
        self._times = intended.tolist()
        self._deadline_s = deadline_s
        self._sent = [0.0] * len(intended)
        self._ended = [np.inf] * len(intended)
        self._statuses = [OPEN] * len(intended)
        self._open = 0
        self._zero = time.perf_counter()
        self._expiring: deque[tuple[float, int, Connection, int]] = deque()

    def run(self) -> Answers:
        """Runs it."""
        self._settle()
        cpu, self._zero = time.process_time(), time.perf_counter()
        position, count = 0, len(self._times)
        patience = (self._times[-1] if count else 0.0) + LAST_ANSWER_S
        while (position < count or self._open) and self._now() < patience:
            while position < count and self._times[position] <= self._now():
                self._send(position)
                position += 1
            self._give_up()
            self._wait(self._times[position] if position < count else patience)
        return Answers(
            intended=np.asarray(self._times),
            sent=np.asarray(self._sent),
            ended=np.asarray(self._ended),
            statuses=np.asarray(self._statuses, np.int16),
            cpu_s=time.process_time() - cpu,
        )

    def _now(self) -> float:
        return time.perf_counter() - self._zero

    def _settle(self) -> None:
        """Exchanges settings before the clock starts."""
        self._zero = time.perf_counter()
        while self._now() < 0.1:
            self._wait(0.1)

    def _send(self, number: int) -> None:
        line = self._lines[number % len(self._lines)]
        self._sent[number] = self._now()
        stream = line.start(number)
        self._open += 1
        if self._deadline_s is not None:
            expires = self._times[number] + self._deadline_s
            self._expiring.append((expires, number, line, stream))

    def _give_up(self) -> None:
        """Cancels what is past its deadline, as a gRPC client does."""
        while self._expiring and self._expiring[0][0] <= self._now():
            _, number, line, stream = self._expiring.popleft()
            if line.cancel(stream):
                self._end(number, DEADLINE_EXCEEDED)

    def _wait(self, until: float) -> None:
        if self._expiring:
            until = min(until, self._expiring[0][0])
        writers = [line for line in self._lines if line.wants_to_write]
        # Not epoll: its timeout is in whole milliseconds.
        readable, writable, _ = select.select(
            self._lines, writers, [], max(0.0, until - self._now())
        )
        for line in writable:
            line.write()
        for line in readable:
            for number, status in line.read():
                self._end(number, status)

    def _end(self, number: int, status: int) -> None:
        self._ended[number] = self._now()
        self._statuses[number] = status
        self._open -= 1
