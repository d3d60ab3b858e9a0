"""Real gRPC servers around small services, on free ports."""

import datetime
import ipaddress
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from google.protobuf import any_pb2, duration_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from saccade.v1 import classifier_pb2 as pb
from saccade.v1 import classifier_pb2_grpc

HELD = b"held"
"""An image that gets no answer before its call ends."""

REFUSED = b"refused"
"""An image whose call fails as soon as another one is held."""

BROKEN = b"broken"
"""Bytes that are no image."""

MODEL = pb.ModelSpec(name="echo", version=3)


@dataclass(frozen=True)
class Failure:
    """How a call fails."""

    code: grpc.StatusCode
    text: str = ""
    retry_after_s: float | None = None

    def abort(self, context: grpc.ServicerContext) -> NoReturn:
        if self.retry_after_s is not None:
            delay = duration_pb2.Duration()
            delay.FromNanoseconds(round(self.retry_after_s * 1e9))
            detail = any_pb2.Any()
            detail.Pack(error_details_pb2.RetryInfo(retry_delay=delay))
            status = status_pb2.Status(code=self.code.value[0], details=[detail])
            context.set_trailing_metadata(
                (("grpc-status-details-bin", status.SerializeToString()),)
            )
        context.abort(self.code, self.text)


@dataclass
class EchoClassifier(classifier_pb2_grpc.ImageClassifierServicer):
    """Takes each image's bytes for the text of its class.

    Attributes:
        failures: Of the next calls, one each; then they succeed.
        token: What a call must carry; None: nothing.
        meeting: Where Classify waits for others before it answers; None: nowhere.
        stream_group: A stream's requests are answered in groups of so many, last one first.
        class_labels: Of the model.
    """

    failures: list[Failure] = field(default_factory=list)
    token: str | None = None
    meeting: threading.Barrier | None = None
    stream_group: int = 1
    class_labels: tuple[str, ...] = ()
    requests: list[pb.ClassifyRequest] = field(default_factory=list)
    seconds_left: list[float | None] = field(default_factory=list)
    arrived_s: list[float] = field(default_factory=list)
    most_at_once: int = 0
    holding: threading.Event = field(default_factory=threading.Event)
    given_up: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _at_once: int = 0

    def Classify(self, request: pb.ClassifyRequest, context: Any) -> pb.ClassifyResponse:  # noqa: N802
        with self._lock:
            self.requests.append(request)
            self.seconds_left.append(context.time_remaining())
            self.arrived_s.append(time.monotonic())
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            self._check(context)
            if self.meeting:
                self.meeting.wait(timeout=10)
            contents = [image.encoded for image in request.images]
            if HELD in contents:
                self._hold(context)
            if REFUSED in contents:
                self.holding.wait(timeout=10)
                Failure(grpc.StatusCode.NOT_FOUND).abort(context)
            return self._answer(request)
        finally:
            with self._lock:
                self._at_once -= 1

    def ClassifyStream(  # noqa: N802
        self, request_iterator: Any, context: Any
    ) -> Iterator[pb.ClassifyStreamResponse]:
        self._check(context)
        group: list[pb.ClassifyRequest] = []
        for request in request_iterator:
            self.requests.append(request)
            group.append(request)
            if len(group) == self.stream_group:
                yield from map(self._stream_answer, reversed(group))
                group = []
        yield from map(self._stream_answer, reversed(group))

    def ListModels(  # noqa: N802
        self, request: pb.ListModelsRequest, context: Any
    ) -> pb.ListModelsResponse:
        self._check(context)
        ready = pb.ModelVersion(
            version=3, state=pb.VERSION_STATE_READY, labels=["stable"], engine="litert"
        )
        failed = pb.ModelVersion(version=4, state=pb.VERSION_STATE_FAILED, reason="no manifest")
        model = pb.Model(name="echo", versions=[failed, ready], default_version=3)
        return pb.ListModelsResponse(models=[model])

    def GetModel(self, request: pb.GetModelRequest, context: Any) -> pb.GetModelResponse:  # noqa: N802
        self._check(context)
        if request.model.name != MODEL.name:
            Failure(grpc.StatusCode.NOT_FOUND, "no such model").abort(context)
        return pb.GetModelResponse(model=MODEL, class_labels=self.class_labels)

    def _check(self, context: grpc.ServicerContext) -> None:
        sent = dict(context.invocation_metadata()).get("authorization")
        if self.token is not None and sent != f"Bearer {self.token}":
            Failure(grpc.StatusCode.UNAUTHENTICATED).abort(context)
        with self._lock:
            failure = self.failures.pop(0) if self.failures else None
        if failure:
            failure.abort(context)

    def _hold(self, context: grpc.ServicerContext) -> None:
        ended = threading.Event()
        context.add_callback(ended.set)
        self.holding.set()
        if ended.wait(timeout=10):
            self.given_up.set()

    def _answer(self, request: pb.ClassifyRequest) -> pb.ClassifyResponse:
        return pb.ClassifyResponse(
            model=MODEL,
            results=map(self._result, request.images),
            request_id=request.request_id,
            timings=pb.Timings(queue_us=1500, batch_images=len(request.images)),
        )

    def _result(self, image: pb.Image) -> pb.ImageResult:
        if image.encoded == BROKEN:
            return pb.ImageResult(error=pb.Error(code=3, message="not an image"))
        label = image.encoded.decode() or f"{image.pixels.height} x {image.pixels.width}"
        best = [pb.ScoredClass(label=label, index=0, score=0.75)]
        rest = [pb.ScoredClass(label="other", index=1, score=0.25)]
        return pb.ImageResult(classification=pb.Classification(classes=best + rest))

    def _stream_answer(self, request: pb.ClassifyRequest) -> pb.ClassifyStreamResponse:
        if request.model.name not in ("", MODEL.name):
            error = pb.Error(code=5, message="no such model")
            return pb.ClassifyStreamResponse(request_id=request.request_id, error=error)
        return pb.ClassifyStreamResponse(
            request_id=request.request_id, response=self._answer(request)
        )


@contextmanager
def serve(
    classifier: EchoClassifier,
    credentials: grpc.ServerCredentials | None = None,
    address: str = "127.0.0.1:0",
) -> Iterator[str]:
    """A running server; yields its address. "echo" is healthy, "sick" is not.

    By its number: "localhost" has several addresses, and the same port of the other one may be
    somebody else's.
    """
    server = grpc.server(ThreadPoolExecutor(16))
    classifier_pb2_grpc.add_ImageClassifierServicer_to_server(classifier, server)
    states = health.HealthServicer()
    states.set("echo", health_pb2.HealthCheckResponse.SERVING)
    states.set("sick", health_pb2.HealthCheckResponse.NOT_SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(states, server)
    if credentials:
        port = server.add_secure_port(address, credentials)
    else:
        port = server.add_insecure_port(address)
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(grace=None).wait()


@dataclass(frozen=True)
class Identity:
    """A certificate that signs itself, and its key, as PEM."""

    certificate: bytes
    key: bytes


def make_identity() -> Identity:
    """A new identity of "localhost", good for ten minutes."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(minutes=10))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Identity(
        certificate=certificate.public_bytes(serialization.Encoding.PEM),
        key=key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
