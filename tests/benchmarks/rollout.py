"""What callers notice of a version that is loaded: p99 before and during, in turns, in one run.

`python -m tests.benchmarks.rollout ARTIFACT [--compile]`: a Poisson load on a server of that
version's folder, and copies of it that appear as versions 2, 3, ... With `--compile` they come
without their compiled forms, so that TensorFlow compiles each one in a process apart.

A load lasts for a second or two, so its 99th percentile is its slowest request, or the one beside
it: that of all loads together says more.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

import grpc
import numpy as np
from rich.console import Console

from saccade.v1 import classifier_pb2 as pb
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub
from saccade_server.artifact import ASSETS, read_artifact, read_manifest, write_manifest

from .contenders import our_server, running
from .grpc_request import Request
from .machine import describe_machine
from .open_loop import OK, Times, poisson_times, run_open_loop

CHUNK_S = 2.0
BOUND_CHUNKS = 150
LIMIT = 1.5
"""p99 during a load, as a multiple of that before."""

FORMS = "litert"


def main() -> None:
    """Runs the command."""
    given = _parser().parse_args()
    show = Console(soft_wrap=True)
    show.print(describe_machine())
    image = read_artifact(given.artifact).golden_samples()[0].image
    request = Request(message=pb.ClassifyRequest(images=[pb.Image(encoded=image)]), images=1)
    flags = ("--transport=http2", "--engine=auto", "--poll-s=0.2", "--rollback-s=0")
    calm: list[Times] = []
    loading: list[Times] = []
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / "repository" / "model" / "1"
        shutil.copytree(given.artifact, first)
        with running([(our_server("http2", flags), first)]) as (server,):
            load = _Load(server.address, request, given.rate)
            for number in range(2, 2 + given.rounds):
                made = _copy(first, Path(folder) / str(number), drop_forms=given.compile)
                calm.append(load.run(given.chunks))
                made.rename(first.with_name(str(number)))
                loading.append(load.run_until_live(number))
                _show(show, f"version {number}", calm[-1], loading[-1])
    _show(show, "all", np.concatenate(calm), np.concatenate(loading))
    show.print(f"at most {LIMIT} x is wanted")


class _Load:
    """A Poisson load on one server.

    Args:
        address: HOST:PORT.
        request: What is sent.
        rate: Requests a second.
    """

    def __init__(self, address: str, request: Request, rate: float) -> None:
        self._address = address
        self._request = request
        self._rate = rate
        self._seed = 0

    def run(self, chunks: int) -> Times:
        """Latencies of some chunks, in seconds."""
        return np.concatenate([self._chunk() for _ in range(chunks)])

    def run_until_live(self, version: int) -> Times:
        """Latencies until a version answers."""
        chunks: list[Times] = []
        with grpc.insecure_channel(self._address) as channel:
            stub = ImageClassifierStub(channel)
            while stub.ListModels(pb.ListModelsRequest()).models[0].default_version != version:
                if len(chunks) == BOUND_CHUNKS:
                    raise SystemExit(f"version {version} did not go live")
                chunks.append(self._chunk())
        return np.concatenate(chunks)

    def _chunk(self) -> Times:
        self._seed += 1
        times = poisson_times(self._rate, CHUNK_S, self._seed)
        answers = run_open_loop(self._address, self._request, times)
        if set(answers.counts()) != {OK}:
            raise SystemExit(f"not all requests were answered: {answers.counts()}")
        return answers.latencies(OK)


def _copy(version: Path, target: Path, *, drop_forms: bool) -> Path:
    shutil.copytree(version, target)
    if drop_forms:
        shutil.rmtree(target / ASSETS / FORMS)
        manifest = read_manifest(target)
        del manifest.compiled[:]
        write_manifest(target, manifest)
    return target


def _show(show: Console, what: str, before: Times, during: Times) -> None:
    """Prints p99 during a load as a multiple of that before, and more."""
    p50, p99 = (
        [float(np.percentile(each, q)) * 1e3 for each in (before, during)] for q in (50, 99)
    )
    show.print(
        f"{what}: p99 {p99[0]:.1f} ms before, {p99[1]:.1f} during, {p99[1] / p99[0]:.2f} x; "
        f"p50 {p50[0]:.1f} and {p50[1]:.1f} ms; {len(before)} and {len(during)} requests"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.rollout", description=__doc__)
    parser.add_argument("artifact", type=Path, help="a version's folder")
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second")
    parser.add_argument("--rounds", type=int, default=5, help="versions that are loaded")
    parser.add_argument("--chunks", type=int, default=4, help="of 2 s, before each of them")
    parser.add_argument("--compile", action="store_true", help="without their compiled forms")
    return parser


if __name__ == "__main__":
    main()
