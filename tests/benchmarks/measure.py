"""One measurement of one subject, by each kind of load."""

from functools import partial
from pathlib import Path

from .ceiling import CeilingProcess, Job
from .contenders import RunningServer
from .generator import run_generator
from .grpc_request import Request
from .h2load import LoadError, run_h2load
from .open_loop import OK, RESOURCE_EXHAUSTED, poisson_times, run_open_loop
from .samples import Sample, quantiles

LEAST_ANSWER = 0.5
"""Share of the checked answer's size below which answers on average must be errors: h2load cannot
see a gRPC status, but an error has no message."""


def measure_closed(
    server: RunningServer, request: Request, *, callers: int, seconds: float, answer_bytes: int
) -> Sample:
    """Closed loop.

    Args:
        server: Whom to ask.
        request: What.
        callers: Requests under way.
        seconds: How long.
        answer_bytes: Of a checked answer to this request.

    Raises:
        LoadError: The answers can't be the right ones.
    """
    before = server.cpu_s
    load = run_h2load(server.address, request, callers=callers, seconds=seconds)
    cpu_s = server.cpu_s - before
    if load.answer_bytes < LEAST_ANSWER * answer_bytes * load.requests:
        raise LoadError(f"{server.name} answered with errors")
    p50, p99 = quantiles(load.latencies)
    count = max(1, load.requests)
    return Sample(
        images_per_s=load.rate * request.images,
        p50_s=p50,
        p99_s=p99,
        server_cpu_s=cpu_s / count,
        client_cpu_s=load.cpu_s / count,
        client_cpus=load.cpu_s / seconds,
    )


def measure_open(
    server: RunningServer,
    request: Request,
    *,
    rate: float,
    seconds: float,
    seed: int,
    deadline_s: float | None = None,
    generator: Path | None = None,
) -> Sample:
    """Open loop, Poisson arrivals.

    Args:
        server: Whom to ask.
        request: What.
        rate: Requests a second.
        seconds: How long.
        seed: Of the arrivals.
        deadline_s: Of each request.
        generator: The program in C; None: the one in Python.

    Raises:
        LoadError: The rate is 0: there is nothing to send.
    """
    if not rate:
        raise LoadError(f"{server.name} answered nothing in time, so that no rate follows from it")
    times = poisson_times(rate, seconds, seed)
    before = server.cpu_s
    run = run_open_loop if generator is None else partial(run_generator, generator)
    answers = run(server.address, request, times, deadline_s=deadline_s)
    cpu_s = server.cpu_s - before
    p50, p99 = quantiles(answers.latencies(OK))
    refusals = answers.latencies(RESOURCE_EXHAUSTED)
    return Sample(
        images_per_s=answers.rate(seconds) * request.images,
        p50_s=p50,
        p99_s=p99,
        server_cpu_s=cpu_s / len(times),
        client_cpu_s=answers.cpu_s / len(times),
        client_cpus=answers.cpu_s / seconds,
        statuses=answers.counts(),
        refusal_p99_s=quantiles(refusals)[1] if len(refusals) else None,
        late_p99_s=quantiles(answers.sent - answers.intended)[1],
    )


def measure_ceiling(process: CeilingProcess, job: Job) -> Sample:
    """A loop in-process."""
    found = process.run(job)
    return Sample(images_per_s=found.images_per_s, p50_s=found.p50_s, p99_s=found.p99_s)
