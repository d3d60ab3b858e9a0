"""Rows with a closed loop: a fixed number of callers, each with one request under way."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from saccade.v1 import classifier_pb2 as pb
from saccade_server.cpus import available_cpus

from .ceiling import Job
from .contenders import HTTP2, NAIVE_SERVER
from .ground import Ground
from .grpc_request import Request
from .samples import Rounds, median_of, median_ratio, rates, rates_of_best, take_turns
from .targets import Check, Found

NAIVE = NAIVE_SERVER.name


class Limits(NamedTuple):
    """What to reach, as a multiple of others' rates.

    Attributes:
        naive: Of the naive server's.
        peer: Of the best peer's, where one is here.
    """

    naive: float
    peer: float


QUANTISED = Limits(naive=6.65, peer=2.0)
TRITON = 2.0
"""Of Triton's best rate, to be reached with the large network."""


def measure_singles(
    ground: Ground, *, callers: int, limits: dict[str, Limits], also: tuple[str, ...] = ()
) -> Found:
    """One image a request; the rate against the naive server's and peers', at 1 or 32 callers.

    Args:
        ground: Where.
        callers: Requests under way.
        limits: By the name of our server; the others are only shown.
        also: Names of our servers that only some rows have.
    """
    request = ground.pixels(1)
    ours = [*ground.ours, *also]
    others = {f"{name}, {min(callers, 32)} x 1": name for name in (NAIVE, *ground.peers)}
    subjects = {name: partial(ground.closed, name, request, callers) for name in ours} | {
        title: partial(ground.closed, name, request, min(callers, 32))
        for title, name in others.items()
    }
    rounds = take_turns(ground.settings.rounds, subjects)
    reference, *peers = others
    checks = []
    for name in ours:
        if name in limits:
            reached = rates(rounds[name])
            ratio = median_ratio(reached, rates(rounds[reference]))
            what = f"rate / {reference}"
            checks.append(Check(subject=name, what=what, limit=limits[name].naive, reached=ratio))
            checks += _beside_peers(rounds, peers, name, reached, limits[name].peer)
        if callers == 1:
            tail = median_of(rounds[name], lambda sample: sample.p99_s / sample.p50_s)
            checks.append(
                Check(subject=name, what="p99 / p50", limit=3.0, reached=tail, at_most=True)
            )
    return Found(rounds=rounds, checks=checks)


def measure_quantised(ground: Ground, *, names: list[str]) -> Found:
    """32 callers on the servers of quantised forms, beside the one that is not."""
    request = ground.pixels(1)
    subjects = [HTTP2.name, *names, NAIVE, *ground.peers]
    rounds = take_turns(
        ground.settings.rounds,
        {name: partial(ground.closed, name, request, 32) for name in subjects},
    )
    best = rates_of_best(rounds, names)
    ratio = median_ratio(best, rates(rounds[NAIVE]))
    subject = "best quantised"
    check = Check(subject=subject, what="rate / naive", limit=QUANTISED.naive, reached=ratio)
    beside = _beside_peers(rounds, ground.peers, subject, best, QUANTISED.peer)
    return Found(rounds=rounds, checks=[check, *beside])


def measure_batches(ground: Ground, *, also: tuple[str, ...] = ()) -> Found:
    """8 callers with 32 images each, against the engine alone less the client's processors."""
    request = ground.pixels(32)
    jobs = _litert_jobs(ground, 32)
    rounds = _closed_rounds(ground, request, 8, jobs, also=also, peers=ground.peers)
    ceiling = rates_of_best(rounds, list(jobs))
    checks = []
    for name in (*ground.ours, *also):
        left = [
            rate * (1 - sample.client_cpus / available_cpus())
            for rate, sample in zip(ceiling, rounds[name], strict=True)
        ]
        ratio = median_ratio(rates(rounds[name]), left)
        checks.append(
            Check(subject=name, what="rate / (LiteRT alone less client)", limit=0.95,
                  reached=ratio, unit="%")
        )  # fmt: skip
    return Found(rounds=rounds, checks=checks)


def measure_large(ground: Ground) -> Found:
    """8 callers with one image each on the large network."""
    request = ground.pixels(1)
    litert = _litert_jobs(ground, 8) | _litert_jobs(ground, 1)
    seconds = ground.settings.seconds / 2
    tensorflow = {
        f"TensorFlow alone, batch {batch}": Job(
            kind="tensorflow", batch=batch, threads=available_cpus(), seconds=seconds
        )
        for batch in (1, 8)
    }
    rounds = _closed_rounds(ground, request, 8, litert | tensorflow, peers=ground.peers)
    ceiling, other = rates_of_best(rounds, list(litert)), rates_of_best(rounds, list(tensorflow))
    checks = []
    for name in ground.ours:
        reached = median_ratio(rates(rounds[name]), ceiling)
        checks += [
            Check(subject=name, what="rate / LiteRT alone", limit=0.95, reached=reached, unit="%"),
            Check(subject=name, what="rate / TensorFlow alone", limit=2.5,
                  reached=median_ratio(rates(rounds[name]), other)),
        ]  # fmt: skip
        if ground.peers:
            checks += _beside_peers(rounds, ground.peers, name, rates(rounds[name]), TRITON)
        else:
            by_ceiling = "rate / Triton's best, by the ceiling"
            checks.append(
                Check(subject=name, what=by_ceiling, limit=TRITON, reached=reached * 180 / 83)
            )
    return Found(rounds=rounds, checks=checks)


def measure_photographs(ground: Ground) -> Found:
    """JPEG files: both stages together against the sum of what they cost alone."""
    pictures = ground.settings.pictures
    images = [pb.Image(encoded=file) for file in pictures.files]
    request = Request(message=pb.ClassifyRequest(images=images), images=len(images))
    folder = ground.settings.models / "pictures"
    folder.mkdir(exist_ok=True)
    files = []
    for number, data in enumerate(pictures.files):
        files.append(str(folder / f"{number}.jpg"))
        (folder / f"{number}.jpg").write_bytes(data)
    decoding = Job(
        kind="decode", callers=available_cpus(), files=tuple(files),
        seconds=ground.settings.seconds / 2,
    )  # fmt: skip
    jobs = _litert_jobs(ground, 8)
    rounds = _closed_rounds(ground, request, 4, jobs | {"decoder alone": decoding}, share=1.5)
    sums = [
        1 / (1 / decoded + 1 / inferred)
        for decoded, inferred in zip(
            rates(rounds["decoder alone"]), rates_of_best(rounds, list(jobs)), strict=True
        )
    ]
    checks = [
        Check(subject=name, what="rate / (decoder and LiteRT alone, summed)", limit=0.9,
              reached=median_ratio(rates(rounds[name]), sums), unit="%")
        for name in ground.ours
    ]  # fmt: skip
    return Found(rounds=rounds, checks=checks)


def _closed_rounds(
    ground: Ground,
    request: Request,
    callers: int,
    jobs: dict[str, Job],
    share: float = 1.0,
    also: tuple[str, ...] = (),
    peers: Sequence[str] = (),
) -> Rounds:
    """Our servers, the naive one, peers and loops in-process, in turns."""
    names = [*ground.ours, *also, NAIVE, *peers]
    subjects = {name: partial(ground.closed, name, request, callers, share) for name in names}
    loops = {name: partial(ground.loop, job) for name, job in jobs.items()}
    return take_turns(ground.settings.rounds, subjects | loops)


def _beside_peers(
    rounds: Rounds, peers: list[str], subject: str, reached: list[float], limit: float
) -> list[Check]:
    """A check against the best of the peers; none where none is here."""
    if not peers:
        return []
    ratio = median_ratio(reached, rates_of_best(rounds, peers))
    return [Check(subject=subject, what="rate / Triton's best", limit=limit, reached=ratio)]


def _litert_jobs(ground: Ground, batch: int) -> dict[str, Job]:
    """One interpreter on all processors, and one on each."""
    cpus = available_cpus()
    return {
        f"LiteRT alone, {callers} x {cpus // callers} threads, batch {batch}": ground.job(
            callers=callers, batch=batch
        )
        for callers in dict.fromkeys((1, cpus))
    }
