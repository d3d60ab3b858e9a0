"""Where rows are measured: servers and ceilings of one model, ready, and the settings."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from saccade.v1 import classifier_pb2 as pb
from saccade_server.artifact import read_artifact
from saccade_server.cpus import available_cpus
from saccade_server.imaging import decode_image

from .ceiling import CeilingProcess, Job, ceiling_process
from .contenders import NAIVE_SERVER, Contender, RunningServer, running
from .grpc_request import Request
from .h2load import LoadError, run_h2load
from .measure import measure_ceiling, measure_closed, measure_open
from .pictures import Pictures
from .samples import Sample

TOLERANCE = 0.05
"""Difference of a best class's probability between servers; quantised ones need it."""

CALL_S = 30.0
WARM_UP_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How long and with what.

    Attributes:
        rounds: Of each row.
        seconds: Of one measurement.
        variants: Our servers.
        peers: Servers of others, that are compared where they start.
        pictures: To decode.
        models: Folder of the artifacts.
        generator: Of open loops, in C; None: the one in Python.
    """

    rounds: int
    seconds: float
    variants: tuple[Contender, ...]
    peers: tuple[Contender, ...]
    pictures: Pictures
    models: Path
    generator: Path | None = None

    def artifact(self, model: str) -> Path:
        """The version's folder of a model."""
        return self.models / model / model.partition("-")[0] / "1"


class Ground:
    """What a row measures on.

    Args:
        settings: How long and with what.
        artifact: Of the group's model.
        servers: By name; ready.
        litert: In-process loops.
        tensorflow: The same, in a process that has TensorFlow.
        left_out: Peers that did not start, and why.
    """

    def __init__(
        self,
        settings: Settings,
        artifact: Path,
        servers: list[RunningServer],
        litert: CeilingProcess,
        tensorflow: CeilingProcess,
        left_out: dict[str, str],
    ) -> None:
        self.settings = settings
        self.artifact = artifact
        self.servers = {server.name: server for server in servers}
        self.left_out = left_out
        self._litert = litert
        self._tensorflow = tensorflow
        self._checked: dict[tuple[str, bytes], tuple[Request, int]] = {}

    @property
    def ours(self) -> list[str]:
        """Our servers' names."""
        return [variant.name for variant in self.settings.variants]

    @property
    def peers(self) -> list[str]:
        """Names of others' servers, those that are here."""
        return [peer.name for peer in self.settings.peers if peer.name in self.servers]

    def pixels(self, images: int) -> Request:
        """A request with pixels of the model's size: its golden samples, or the pictures."""
        artifact = read_artifact(self.artifact)
        files = [sample.image for sample in artifact.golden_samples()]
        files = files or list(self.settings.pictures.files)
        height, width, channels = artifact.input.shape
        tensors = [
            pb.PixelTensor(
                height=height,
                width=width,
                channels=channels,
                data=decode_image(files[i % len(files)], artifact.input).tobytes(),
            )
            for i in range(images)
        ]
        message = pb.ClassifyRequest(images=[pb.Image(pixels=each) for each in tensors])
        return Request(message=message, images=images)

    def job(self, *, callers: int, batch: int) -> Job:
        """A loop on LiteRT over all processors, for half the usual seconds."""
        return Job(
            seconds=self.settings.seconds / 2,
            batch=batch,
            callers=callers,
            threads=available_cpus() // callers,
        )

    def closed(self, name: str, request: Request, callers: int, share: float = 1.0) -> Sample:
        """Closed loop on the server of that name, for a share of the usual seconds."""
        server = self.servers[name]
        request = request.by(server.api)
        key = name, request.body
        if key not in self._checked:
            self._checked[key] = request, self._check(name, request)
            # The first calls of a process are slower than all others.
            run_h2load(server.address, request, callers=callers, seconds=WARM_UP_S)
        return measure_closed(
            server,
            request,
            callers=callers,
            seconds=self.settings.seconds * share,
            answer_bytes=self._checked[key][1],
        )

    def open(
        self, name: str, request: Request, rate: float, seed: int, deadline_s: float | None = None
    ) -> Sample:
        """Open loop on the server of that name, for twice the usual seconds."""
        return measure_open(
            self.servers[name],
            request,
            rate=rate,
            seconds=self.settings.seconds * 2,
            seed=seed,
            deadline_s=deadline_s,
            generator=self.settings.generator,
        )

    def loop(self, job: Job) -> Sample:
        """A loop in-process."""
        process = self._tensorflow if job.kind == "tensorflow" else self._litert
        return measure_ceiling(process, job)

    def check_again(self) -> None:
        """Checks all that was asked so far once more, and forgets it.

        Raises:
            LoadError: Under load, a server has lost its way.
        """
        for (name, _), (request, _) in self._checked.items():
            self._check(name, request)
        self._checked.clear()

    def _check(self, name: str, request: Request) -> int:
        """Asks as a real client does, and compares with the naive server, if it is here.

        Returns:
            Bytes of the answer.

        Raises:
            LoadError: The call or an image of it failed, or the answers differ.
        """
        answer = _call(self.servers[name], request)
        images = request.api.decode(answer)
        if len(images) != request.images or not all(images):
            raise LoadError(f"{name} failed to classify: {images}"[:500])
        if (reference := self.servers.get(NAIVE_SERVER.name)) and not _encoded(request):
            expected = reference.api.decode(_call(reference, request.by(reference.api)))
            for scores, others in zip(images, expected, strict=True):
                best = max(scores, key=scores.__getitem__)
                if abs(others.get(best, 0.0) - scores[best]) > TOLERANCE:
                    raise LoadError(f"{name} and {reference.name} disagree: {scores}, {others}")
        return len(answer)


@contextmanager
def prepared(settings: Settings, starts: list[tuple[Contender, str]]) -> Iterator[Ground]:
    """Starts what a group of rows needs.

    Args:
        settings: How long and with what.
        starts: Contenders and the models that they serve; the first one's is the group's.

    Raises:
        LoadError: A server did not start.
    """
    artifact = settings.artifact(starts[0][1])
    left_out: dict[str, str] = {}
    with ExitStack() as stack:
        places = [(contender, settings.artifact(model)) for contender, model in starts]
        servers = stack.enter_context(running(places, left_out))
        litert = stack.enter_context(ceiling_process(artifact))
        tensorflow = stack.enter_context(ceiling_process(artifact))
        yield Ground(settings, artifact, servers, litert, tensorflow, left_out)


def _call(server: RunningServer, request: Request) -> bytes:
    try:
        with grpc.insecure_channel(server.address) as channel:
            call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(request.api.path)
            answer: bytes = call(request.api.encode(request.message), timeout=CALL_S)
            return answer
    except grpc.RpcError as error:
        raise LoadError(f"{server.name} refused a lone request: {error}") from error


def _encoded(request: Request) -> bool:
    """Whether files are sent: the naive server resizes them by a rule of its own."""
    return any(image.HasField("encoded") for image in request.message.images)
