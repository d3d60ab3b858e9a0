"""The health check's bytes against the protocol's own declarations."""

import pytest
from grpc_health.v1 import health_pb2

from saccade._health import HEALTH_CHECK, Health, read_health_answer, write_health_request


@pytest.mark.parametrize("service", ["", "digits", "é"])
def test_a_request_is_what_the_protocol_says(service: str) -> None:
    """Byte for byte."""
    expected = health_pb2.HealthCheckRequest(service=service).SerializeToString()

    assert expected == write_health_request(service)


@pytest.mark.parametrize("health", Health, ids=lambda health: health.name)
def test_an_answer_is_read_as_the_protocol_says(health: Health) -> None:
    """Each status by its own name."""
    answer = health_pb2.HealthCheckResponse(status=health.name).SerializeToString()

    assert health == read_health_answer(answer)


def test_a_status_of_a_later_day_is_unknown() -> None:
    """An old probe does not break on a new server."""
    assert Health.UNKNOWN == read_health_answer(b"\x08\x63")


def test_the_path_is_the_protocols() -> None:
    """Service and method."""
    service = health_pb2.DESCRIPTOR.services_by_name["Health"]

    assert f"/{service.full_name}/{service.methods_by_name['Check'].name}" == HEALTH_CHECK
