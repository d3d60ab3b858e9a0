"""One unary gRPC request, encoded for both load generators."""

from dataclasses import dataclass

from saccade.v1 import classifier_pb2 as pb

CLASSIFY = "/saccade.v1.ImageClassifier/Classify"
HEADERS = {"content-type": "application/grpc", "te": "trailers"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What every caller of a load sends, again and again.

    Attributes:
        message: Of the Classify method.
        images: In one request.
        body: The message with gRPC's prefix: not compressed, 4 bytes of length.
    """

    message: pb.ClassifyRequest
    images: int

    @property
    def body(self) -> bytes:
        """See above."""
        data = self.message.SerializeToString()
        return b"\x00" + len(data).to_bytes(4, "big") + data


def request_headers(address: str, deadline_s: float | None) -> list[tuple[str, str]]:
    """The headers of a request, in the order that gRPC asks for."""
    headers = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", CLASSIFY),
        (":authority", address),
    ]
    if deadline_s is not None:
        headers.append(("grpc-timeout", f"{round(deadline_s * 1e6)}u"))
    return [*headers, *HEADERS.items()]
