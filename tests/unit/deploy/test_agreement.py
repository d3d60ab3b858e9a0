"""The Deployment agrees with the server and with its image: ports, paths, names, seconds."""

import re
from collections.abc import AsyncIterator
from dataclasses import fields
from typing import Any

import aiohttp
import pytest

from fixtures.side_port import make_side_port
from saccade_server.config import ServerConfig, parse_config, variable
from unit.deploy.dockerfile import ROOT, read_stages
from unit.deploy.manifests import read_manifest, read_settings

MARGIN_S = 5
"""To close engines and files after the drain."""

POD: dict[str, Any] = read_manifest("Deployment/saccade")["spec"]["template"]
[SERVER] = POD["spec"]["containers"]
IMAGE = read_stages()[-1]
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")

each_pod = pytest.mark.parametrize(
    "pod",
    [POD["spec"], read_manifest("Pod/saccade-loader")["spec"]],
    ids=["server", "loader"],
)


@pytest.fixture
def config() -> ServerConfig:
    """What the server in the pod makes of the image's variables and the ConfigMap's."""
    return parse_config({}, IMAGE.pairs("ENV") | read_settings())


def test_the_server_knows_every_setting() -> None:
    """A misspelt variable would be passed over in silence."""
    known = {variable(item) for item in fields(ServerConfig)}

    assert set() == set(read_settings()) - known


def test_the_container_s_ports_are_those_that_the_server_opens(config: ServerConfig) -> None:
    """Named grpc and http."""
    ports = {port["name"]: port["containerPort"] for port in SERVER["ports"]}

    assert {"grpc": config.grpc_port, "http": config.http_port} == ports


def test_grpc_probes_ask_the_grpc_port(config: ServerConfig) -> None:
    """They take a number only, so nothing else keeps it right."""
    ports = [SERVER[probe]["grpc"]["port"] for probe in PROBES if "grpc" in SERVER[probe]]

    assert [config.grpc_port] == ports


def test_http_probes_ask_the_side_port() -> None:
    """By the name of the container's port."""
    ports = [SERVER[probe]["httpGet"]["port"] for probe in PROBES if "httpGet" in SERVER[probe]]

    assert ["http", "http"] == ports


@pytest.fixture
async def side_port() -> AsyncIterator[str]:
    """A side port whose server is not ready."""
    port = make_side_port(lambda: False)
    await port.start()
    yield f"http://127.0.0.1:{port.port}"
    await port.stop()


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe"])
async def test_a_server_that_loads_is_not_killed(side_port: str, probe: str) -> None:
    """The probes that restart a pod pass although no model is ready."""
    path = SERVER[probe]["httpGet"]["path"]

    async with aiohttp.ClientSession() as session, session.get(side_port + path) as response:
        assert 200 == response.status


async def test_prometheus_is_sent_to_the_metrics(side_port: str, config: ServerConfig) -> None:
    """The pod's annotations name the port and a path that answers."""
    annotations = POD["metadata"]["annotations"]
    path = annotations["prometheus.io/path"]

    async with aiohttp.ClientSession() as session, session.get(side_port + path) as response:
        assert (200, str(config.http_port)) == (response.status, annotations["prometheus.io/port"])


def test_the_drain_ends_before_the_pod_is_killed(config: ServerConfig) -> None:
    """The grace period is longer than lingering and draining together."""
    grace_s = POD["spec"]["terminationGracePeriodSeconds"]

    assert grace_s >= config.linger_s + config.drain_s + MARGIN_S


def test_docker_is_told_the_same_grace_period() -> None:
    """Its own is too short for a drain."""
    grace_s = POD["spec"]["terminationGracePeriodSeconds"]

    [told] = re.findall(r"docker stop -t (\d+)", (ROOT / "deploy" / "README.md").read_text())

    assert str(grace_s) == told


def test_lingering_outlasts_the_readiness_probe(config: ServerConfig) -> None:
    """A pod that drains is out of its Services before it stops to answer."""
    probe = SERVER["readinessProbe"]

    assert config.linger_s > probe["periodSeconds"] * probe["failureThreshold"]


def test_the_models_are_mounted_where_the_server_looks(config: ServerConfig) -> None:
    """Read-only, at the image's model repository."""
    [mount] = [mount for mount in SERVER["volumeMounts"] if mount["name"] == "models"]

    expected = (config.model_repository, True)
    assert expected == (mount["mountPath"], mount["readOnly"])


def test_the_home_folder_can_be_written_to() -> None:
    """The root is read-only, and libraries keep caches at home."""
    [mount] = [mount for mount in SERVER["volumeMounts"] if mount["name"] == "tmp"]

    assert IMAGE.pairs("ENV")["HOME"] == mount["mountPath"]


def test_no_service_can_change_a_setting() -> None:
    """Kubernetes would set SACCADE_GRPC_PORT for a Service called saccade-grpc."""
    assert POD["spec"]["enableServiceLinks"] is False


@each_pod
def test_the_pod_runs_as_the_image_s_user(pod: dict[str, Any]) -> None:
    """The numbers of USER."""
    context = pod["securityContext"]

    assert IMAGE.last("USER") == f"{context['runAsUser']}:{context['runAsGroup']}"


@each_pod
def test_the_pod_meets_the_restricted_standard(pod: dict[str, Any]) -> None:
    """What the Pod Security Standard "restricted" asks for, and a root that is read-only."""
    [container] = pod["containers"]
    expected = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }

    context = pod["securityContext"] | container["securityContext"]

    assert expected == {name: context.get(name) for name in expected}


@each_pod
def test_the_pod_has_no_credentials(pod: dict[str, Any]) -> None:
    """It does not talk to the cluster, and a stolen pod must not either."""
    assert pod["automountServiceAccountToken"] is False
