"""The health check of grpc.health.v1, without declarations of our own.

Its request is one string and its answer one enum, both field number 1: on the wire the same as the
well-known wrappers StringValue and Int32Value.
"""

import enum

from google.protobuf import wrappers_pb2

HEALTH_CHECK = "/grpc.health.v1.Health/Check"


class Health(enum.Enum):
    """What a server says about itself or about one model."""

    UNKNOWN = 0
    SERVING = 1
    NOT_SERVING = 2
    SERVICE_UNKNOWN = 3

    @classmethod
    def _missing_(cls, value: object) -> "Health":
        # A status of a later day.
        return cls.UNKNOWN


def write_health_request(service: str) -> bytes:
    """A HealthCheckRequest; the empty name means the server as a whole."""
    return wrappers_pb2.StringValue(value=service).SerializeToString()


def read_health_answer(answer: bytes) -> Health:
    """The status in a HealthCheckResponse."""
    return Health(wrappers_pb2.Int32Value.FromString(answer).value)
