"""Traffic split between two versions of a real server, by a file that changes."""

import base64
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from conftest import StartServer
from fixtures.http import read_value, wait_value
from fixtures.server_process import ServerProcess
from fixtures.versions import make_version, scores_of
from saccade.v1 import classifier_pb2 as pb
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub
from saccade_server.artifact import read_artifact
from saccade_server.protocols import inference_pb, tensorflow_pb, tensorflow_serving_pb

KEYS = [f"user-{number}" for number in range(160)]
STICKY = "saccade-sticky-key"
FLAGS = ("--poll-s=0.1", "--engine=litert", "--transport=http2", "--latest-versions=0")
TOLERANCE = 1e-4


def split(canary: float) -> str:
    """A file with so many percent for version 2."""
    labels = "labels = { stable = 1, canary = 2 }"
    return f"[digits]\n{labels}\nsplit = {{ stable = {100 - canary}, canary = {canary} }}\n"


class Service:
    """A server of two versions, and its callers.

    Attributes:
        process: The server.
        file: Its traffic file.
        image: A picture that the two classify differently.
        expected: Its scores, by version.
    """

    def __init__(self, process: ServerProcess, file: Path, models: Path, image: bytes) -> None:
        self.process = process
        self.file = file
        self.image = image
        self.expected = {
            number: scores_of(read_artifact(models / str(number)), image) for number in (1, 2)
        }
        self._channel = grpc.insecure_channel(process.grpc)
        self._classify: Any = ImageClassifierStub(self._channel).Classify

    def close(self) -> None:
        """Ends the connection."""
        self._channel.close()

    def native(self, key: str = "", **fields: Any) -> int:
        """The version that answers a caller; its scores must be that version's."""
        request = pb.ClassifyRequest(images=[pb.Image(encoded=self.image)], top_k=10, **fields)
        answer = self._classify(request, timeout=20, metadata=((STICKY, key),) if key else ())
        scores = np.zeros(10, np.float32)
        for each in answer.results[0].classification.classes:
            scores[each.index] = each.score
        version = int(answer.model.version)
        assert np.abs(scores - self.expected[version]).max() <= TOLERANCE
        return version

    def inference(self, key: str) -> int:
        """The same by the Open Inference Protocol."""
        request = inference_pb.ModelInferRequest(model_name="digits")
        tensor = request.inputs.add(name="images", datatype="BYTES", shape=[1])
        tensor.contents.bytes_contents.append(self.image)
        method = "/inference.GRPCInferenceService/ModelInfer"
        answer = self._call(method, request, inference_pb.ModelInferResponse, key)
        return int(answer.model_version)

    def serving(self, key: str) -> int:
        """The same by TensorFlow Serving's API."""
        request = tensorflow_serving_pb.PredictRequest()
        request.model_spec.name = "digits"
        tensor = request.inputs["images"]
        tensor.dtype = tensorflow_pb.DT_STRING
        tensor.tensor_shape.dim.add(size=1)
        tensor.string_val.append(self.image)
        method = "/tensorflow.serving.PredictionService/Predict"
        answer = self._call(method, request, tensorflow_serving_pb.PredictResponse, key)
        return int(answer.model_spec.version.value)

    def inference_http(self, key: str) -> int:
        """The same by the first one's HTTP form."""
        tensor = {"name": "images", "datatype": "FP32", "shape": [1, 28, 28, 1], "data": [0] * 784}
        answer = self._post("/v2/models/digits/infer", {"inputs": [tensor]}, key)
        return int(answer["model_version"])

    def serving_http(self, key: str) -> int:
        """The same by the second one's: it names no version, but the scores tell."""
        image = {"b64": base64.b64encode(self.image).decode()}
        scores = self._post("/v1/models/digits:predict", {"instances": [image]}, key)
        one, other = (
            self._post(f"/v1/models/digits/versions/{number}:predict", {"instances": [image]}, key)
            for number in (1, 2)
        )
        assert one != other
        return {str(one): 1, str(other): 2}[str(scores)]

    def reach(self, text: str) -> None:
        """Changes the file and waits until the server has read it."""
        before = self.looks("ok")
        self.file.write_text(text)
        # The look under way may have read the file before.
        wait_value(self.process.http, before + 2, "saccade_traffic_looks_total", outcome="ok")

    def looks(self, outcome: str) -> float:
        """Looks at the file so far."""
        return read_value(self.process.http, "saccade_traffic_looks_total", outcome=outcome)

    def _call(self, method: str, request: Any, answer: Any, key: str) -> Any:
        call: Any = self._channel.unary_unary(
            method,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=answer.FromString,
        )
        return call(request, timeout=20, metadata=((STICKY, key),))

    def _post(self, path: str, said: Any, key: str) -> Any:
        request = urllib.request.Request(
            f"http://{self.process.http}{path}",
            data=json.dumps(said).encode(),
            headers={"Saccade-Sticky-Key": key, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as response:
            return json.load(response)


@pytest.fixture(scope="module")
def running(artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A server of two versions, for all tests here; it must end with 0."""
    folder = tmp_path_factory.mktemp("traffic")
    models = folder / "repository" / "digits"
    models.mkdir(parents=True)
    for number in (1, 2):
        make_version(artifact, models, number)
    file = folder / "traffic.toml"
    file.write_text(split(20))
    process = ServerProcess(
        models.parent, *FLAGS, f"--traffic-file={file}", log=folder / "server.log"
    )
    try:
        process.wait_ready()
        image = read_artifact(artifact).golden_samples()[0].image
        service = Service(process, file, models, image)
        yield service
        service.close()
        assert 0 == process.stop(), process.log
    finally:
        process.kill()


@pytest.fixture
def service(running: Service) -> Service:
    """That server; it gives a fifth of the keys to the canary."""
    running.reach(split(20))
    return running


def test_every_api_gives_a_key_the_same_version(service: Service) -> None:
    """The shares are the binomial distribution's; a key stays where it is."""
    versions = {key: service.native(key) for key in KEYS}
    canary = [key for key in KEYS if versions[key] == 2]
    some = [*canary[:4], *[key for key in KEYS if versions[key] == 1][:4]]
    deviation = (len(KEYS) * 0.2 * 0.8) ** 0.5
    apis = (
        service.native,
        service.inference,
        service.serving,
        service.inference_http,
        service.serving_http,
    )

    assert abs(len(canary) - 0.2 * len(KEYS)) <= 4 * deviation
    for api in apis:
        assert [versions[key] for key in some] == [api(key) for key in some], api.__name__


def test_without_a_key_requests_are_shared_at_random(service: Service) -> None:
    """A request's own id is its key: one that is tried again gets the same version."""
    at_random = [service.native() for _ in KEYS].count(2)
    again = [service.native(request_id="order-66") for _ in range(10)]

    assert 0 < at_random < len(KEYS) / 2
    assert 1 == len(set(again))


def test_a_growing_share_moves_keys_one_way_on_all_replicas(
    service: Service, start_server: StartServer
) -> None:
    """A second server, started later, agrees with the first about every key."""
    before = [service.native(key) for key in KEYS]
    service.reach(split(60))
    after = [service.native(key) for key in KEYS]
    replica = start_server(
        service.file.parent / "repository", *FLAGS, f"--traffic-file={service.file}"
    )
    replica.wait_ready()
    other = Service(
        replica, service.file, service.file.parent / "repository" / "digits", service.image
    )
    try:
        elsewhere = [other.native(key) for key in KEYS]
    finally:
        other.close()

    assert {(1, 1), (1, 2), (2, 2)} == set(zip(before, after, strict=True))
    assert after == elsewhere


def test_a_shadow_version_is_compared_and_never_answers(service: Service) -> None:
    """Its agreement and its cost are metrics."""
    labels = "labels = { stable = 1, next = 2 }"
    service.reach(f"[digits]\n{labels}\nshadow = {{ next = 100 }}\n")
    answers = {service.native(key) for key in KEYS[:20]}
    of = {"model": "digits", "version": "2"}
    wait_value(service.process.http, 1e-6, "saccade_shadow_inference_seconds_total", **of)
    compared = read_value(service.process.http, "saccade_shadow_difference_count", **of)

    assert ({1}, True) == (answers, compared >= 1)


def test_a_wrong_file_leaves_the_old_shares_in_force(service: Service) -> None:
    """With a line in the log, once, and a metric that grows."""
    before = [service.native(key) for key in KEYS]
    failed = service.looks("failed")
    service.file.write_text(split(20).replace("canary = 20", "canary = 90"))
    wait_value(service.process.http, failed + 3, "saccade_traffic_looks_total", outcome="failed")
    wrong = "model 'digits': the shares of the split must be 100 together, got 170"

    assert before == [service.native(key) for key in KEYS]
    assert 1 == service.process.log.count(wrong)


def test_a_server_does_not_start_with_a_wrong_file(
    start_server: StartServer, repository: Path, tmp_path: Path
) -> None:
    """It ends with the code of wrong settings."""
    server = start_server(repository, f"--traffic-file={tmp_path / 'nothing'}")
    expected = f"saccade-server: --traffic-file {tmp_path / 'nothing'}: No such file or directory\n"

    assert (2, True) == (server.wait(), server.log.endswith(expected))
