"""The Kubernetes manifests are valid and fit together."""

import shutil
import subprocess
import tomllib
from typing import Any

import kubernetes_validate
import pytest
import yaml

from unit.deploy.dockerfile import ROOT
from unit.deploy.manifests import (
    FOLDER,
    KUSTOMIZATION,
    LOADER,
    Manifest,
    read_kustomization,
    read_manifest,
    read_manifests,
    read_settings,
)

OLDEST, NEWEST = "1.27", "1.37"
"""Versions of Kubernetes that the manifests are for."""

MANIFESTS = read_manifests()

each_manifest = pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda m: m.title)


@pytest.fixture
def deployment() -> dict[str, Any]:
    return read_manifest("Deployment/saccade")


@each_manifest
@pytest.mark.parametrize("kubernetes", [OLDEST, NEWEST])
def test_a_manifest_is_valid(manifest: Manifest, kubernetes: str) -> None:
    """It has the fields of its kind and no others, in old clusters and new ones."""
    assert kubernetes == kubernetes_validate.validate(manifest.body, kubernetes, strict=True)


@each_manifest
def test_a_manifest_goes_to_any_namespace(manifest: Manifest) -> None:
    """The context or an overlay names it."""
    assert "namespace" not in manifest.body["metadata"]


def test_kustomize_renders_valid_manifests() -> None:
    """What `kubectl apply -k` sends is complete and valid, names rewritten throughout."""
    kubectl = shutil.which("kubectl")
    if not kubectl:
        pytest.skip("needs kubectl, which is not installed here")
    command = [kubectl, "kustomize", str(FOLDER)]
    text = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    bodies = list(yaml.safe_load_all(text))
    for body in bodies:
        kubernetes_validate.validate(body, NEWEST, strict=True)

    [settings] = [body for body in bodies if body["kind"] == "ConfigMap"]
    [deployment] = [body for body in bodies if body["kind"] == "Deployment"]
    [container] = deployment["spec"]["template"]["spec"]["containers"]

    assert len(read_kustomization()["resources"]) + 1 == len(bodies)
    assert read_settings() == settings["data"]
    assert [{"configMapRef": {"name": settings["metadata"]["name"]}}] == container["envFrom"]


def test_every_file_is_applied() -> None:
    """The kustomization lists all manifests but the loader's, which is applied by hand."""
    files = {path.name for path in FOLDER.glob("*.yaml")}

    assert files - {KUSTOMIZATION, LOADER} == set(read_kustomization()["resources"])


def test_the_settings_are_the_ones_that_are_generated(deployment: dict[str, Any]) -> None:
    """The Deployment takes its variables from the generated ConfigMap."""
    [generated] = [item["name"] for item in read_kustomization()["configMapGenerator"]]
    [container] = deployment["spec"]["template"]["spec"]["containers"]

    assert [{"configMapRef": {"name": generated}}] == container["envFrom"]


def test_the_image_is_of_this_version() -> None:
    """Server, kustomization and loader name the same version."""
    project = tomllib.loads((ROOT / "server" / "pyproject.toml").read_text())["project"]
    [image] = read_kustomization()["images"]
    [loader] = read_manifest("Pod/saccade-loader")["spec"]["containers"]

    expected = f"{project['name']}:{project['version']}"
    assert {expected} == {f"{image['name']}:{image['newTag']}", loader["image"]}


def test_the_image_s_place_can_be_changed(deployment: dict[str, Any]) -> None:
    """The Deployment uses the name that the kustomization replaces."""
    [container] = deployment["spec"]["template"]["spec"]["containers"]

    assert read_kustomization()["images"][0]["name"] == container["image"]


def selectors() -> dict[str, dict[str, str]]:
    """Everything that picks pods, by where it stands."""
    deployment = read_manifest("Deployment/saccade")["spec"]
    budget = read_manifest("PodDisruptionBudget/saccade")["spec"]
    found: dict[str, dict[str, str]] = {
        "deployment": deployment["selector"]["matchLabels"],
        "budget": budget["selector"]["matchLabels"],
    }
    for service in ("saccade", "saccade-headless"):
        found[service] = read_manifest(f"Service/{service}")["spec"]["selector"]
    for spread in deployment["template"]["spec"]["topologySpreadConstraints"]:
        found[spread["topologyKey"]] = spread["labelSelector"]["matchLabels"]
    return found


@pytest.mark.parametrize("place", sorted(selectors()))
def test_a_selector_finds_the_pods(place: str, deployment: dict[str, Any]) -> None:
    """The pods carry exactly the labels that are looked for."""
    assert deployment["spec"]["template"]["metadata"]["labels"] == selectors()[place]


def test_one_service_has_an_address_and_one_has_none() -> None:
    """Meshes take the one, clients that balance take the other."""
    addresses = [
        read_manifest(f"Service/{name}")["spec"].get("clusterIP")
        for name in ("saccade", "saccade-headless")
    ]

    assert [None, "None"] == addresses


@pytest.mark.parametrize("name", ["saccade", "saccade-headless"])
def test_a_service_leads_to_ports_of_the_same_number(name: str, deployment: dict[str, Any]) -> None:
    """A client behind either Service, or none, uses one number."""
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    numbers = {port["name"]: port["containerPort"] for port in container["ports"]}

    ports = read_manifest(f"Service/{name}")["spec"]["ports"]

    assert [(numbers[port["targetPort"]]) for port in ports] == [port["port"] for port in ports]


def test_a_rolling_update_never_takes_capacity_away(deployment: dict[str, Any]) -> None:
    """A pod goes only after its successor is ready."""
    assert 0 == deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"]


def test_the_server_reads_the_volume_that_the_loader_fills(deployment: dict[str, Any]) -> None:
    """Both mount the claim that the kustomization makes."""
    claim = read_manifest("PersistentVolumeClaim/saccade-models")["metadata"]["name"]
    pods = (deployment["spec"]["template"]["spec"], read_manifest("Pod/saccade-loader")["spec"])

    names = [
        volume["persistentVolumeClaim"]["claimName"]
        for pod in pods
        for volume in pod["volumes"]
        if "persistentVolumeClaim" in volume
    ]

    assert [claim, claim] == names
