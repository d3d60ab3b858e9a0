"""What each API's messages cost: microseconds of a unary call inside the process.

    python -m tests.benchmarks.protocol_cost [--image SIDE CHANNELS]

The same picture goes through the native API and through the Open Inference Protocol, from the
request's bytes to the answer's, without a network and with an engine that does nothing. The APIs
take turns, so that a machine whose speed drifts treats them alike; the medians of the turns are
compared.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry

from saccade.v1 import classifier_pb2, manifest_pb2
from saccade_server.artifact import ASSETS, GRAPH, Artifact, write_manifest
from saccade_server.batching import Scores
from saccade_server.imaging import Decoder, ImageLimits
from saccade_server.metrics import Metrics
from saccade_server.protocols import inference_pb
from saccade_server.registry import LoadedVersion, Registry
from saccade_server.services.answer import Answerer
from saccade_server.services.call import Call, Method
from saccade_server.services.classification import ImagePath
from saccade_server.services.classifier import ClassifierService
from saccade_server.services.inference import InferenceService
from saccade_server.services.inflight import Inflight

CLASSES = 10
TURNS = 40
CALLS = 250


class _Nothing:
    """A predictor that has the answer ready."""

    idle = True
    stalled_s = 0.0

    def __init__(self) -> None:
        row = np.linspace(0, 1, CLASSES, dtype=np.float32)
        self._row = (row / row.sum())[np.newaxis]

    def expect_s(self, images: int) -> float:
        return 0.0

    @contextmanager
    def reserve(self, images: int, *, deadline: float | None = None, client: str = ""):  # type: ignore[no-untyped-def]
        yield

    def refusal(
        self, images: int, *, coming: int = 0, deadline: float | None = None, client: str = ""
    ) -> None: ...

    def count_refusal(self, reason: str) -> None: ...

    async def submit(
        self,
        images: NDArray[np.uint8 | np.float32],
        *,
        deadline: float | None = None,
        urgent: bool = False,
        client: str = "",
        alone: bool = False,
    ) -> Scores:
        return Scores(self._row, 0.0, 0.0, 1)

    async def submit_spare(self, images: NDArray[np.uint8 | np.float32]) -> Scores:
        return await self.submit(images)

    async def close(self) -> None: ...


async def _registry(root: Path, metrics: Metrics, side: int, channels: int) -> Registry:
    """A registry of one version without a graph."""

    async def load(model: str, version: int, artifact: Artifact, _: object) -> LoadedVersion:
        return LoadedVersion(
            model=model, version=version, artifact=artifact, engine="none", predictor=_Nothing()
        )

    folder = root / "model" / "1"
    (folder / ASSETS).mkdir(parents=True)
    (folder / GRAPH).write_bytes(b"none")
    write_manifest(folder, _manifest(side, channels))
    registry = Registry(root, load, metrics)
    await registry.open()
    return registry


def requests(pixels: NDArray[np.uint8]) -> dict[str, bytes]:
    """The same picture in each form, by its name."""
    native = classifier_pb2.ClassifyRequest(model=classifier_pb2.ModelSpec(name="model"))
    height, width, channels = pixels.shape
    native.images.add().pixels.CopyFrom(
        classifier_pb2.PixelTensor(
            height=height, width=width, channels=channels, data=pixels.tobytes()
        )
    )
    made = {"native, pixels": native.SerializeToString()}
    for kind, values in (("UINT8", pixels), ("FP32", pixels.astype(np.float32))):
        request = inference_pb.ModelInferRequest(model_name="model")
        request.inputs.add(name="images", datatype=kind, shape=(1, *pixels.shape))
        request.raw_input_contents.append(values.tobytes())
        made[f"OIP, raw {kind}"] = request.SerializeToString()
    return made


async def measure(root: Path, side: int, channels: int) -> dict[str, float]:
    """Microseconds of a call, by the form's name."""
    metrics = Metrics(CollectorRegistry())
    registry = await _registry(root, metrics, side, channels)
    images = ImagePath(Decoder(threads=1, limits=ImageLimits()), metrics, max_request_images=256)
    inflight = Inflight(metrics)
    inference = InferenceService(
        registry,
        images,
        metrics,
        lambda: True,
        inflight,
        max_request_images=256,
        may_change_models=False,
    )
    classifier = ClassifierService(registry, images, metrics, inflight)
    methods = {each.name: each for each in (*classifier.methods(), *inference.methods())}
    answerer = Answerer(metrics, inflight)
    rng = np.random.default_rng(0)
    bodies = requests(rng.integers(0, 256, (side, side, channels), np.uint8))
    seconds: dict[str, list[float]] = {name: [] for name in bodies}
    for _ in range(TURNS):
        for name, body in bodies.items():
            method = methods["Classify" if name.startswith("native") else "ModelInfer"]
            seconds[name].append(await _turn(answerer, method, body))
    return {name: statistics.median(each) / CALLS * 1e6 for name, each in seconds.items()}


async def _turn(answerer: Answerer, method: Method, body: bytes) -> float:
    started = time.perf_counter()
    for _ in range(CALLS):
        await answerer.unary(method, body, Call())
    return time.perf_counter() - started


def _manifest(side: int, channels: int) -> manifest_pb2.Manifest:
    return manifest_pb2.Manifest(
        input=manifest_pb2.InputSpec(
            name="images",
            height=side,
            width=side,
            color_space=(
                manifest_pb2.COLOR_SPACE_GRAY if channels == 1 else manifest_pb2.COLOR_SPACE_RGB
            ),
            data_type=manifest_pb2.DATA_TYPE_FLOAT32,
            pixel_range=manifest_pb2.PixelRange(black=0, white=255),
            resize=manifest_pb2.RESIZE_RULE_BILINEAR,
        ),
        output=manifest_pb2.OutputSpec(
            name="probabilities", activation=manifest_pb2.ACTIVATION_PROBABILITIES
        ),
        class_labels=map(str, range(CLASSES)),
    )


def main(arguments: Sequence[str] | None = None, say: Callable[[str], object] = print) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", nargs=2, type=int, default=(28, 1), metavar=("SIDE", "CHANNELS"))
    side, channels = parser.parse_args(arguments).image
    with tempfile.TemporaryDirectory() as folder:
        costs = asyncio.run(measure(Path(folder), side, channels))
    native = costs["native, pixels"]
    for name, us in costs.items():
        say(f"{name:16} {us:7.1f} us/call  {us / native:5.2f} x native")


if __name__ == "__main__":
    main()
