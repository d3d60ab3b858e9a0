"""Reads the Kubernetes manifests."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[3] / "deploy" / "kubernetes"
KUSTOMIZATION = "kustomization.yaml"
LOADER = "loader.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One document."""

    file: str
    body: dict[str, Any]

    @property
    def title(self) -> str:
        """Kind and name."""
        return f"{self.body['kind']}/{self.body['metadata']['name']}"


def read_manifests() -> list[Manifest]:
    """Every document that a cluster would get, by file."""
    return [
        Manifest(file=path.name, body=body)
        for path in sorted(FOLDER.glob("*.yaml"))
        if path.name != KUSTOMIZATION
        for body in yaml.safe_load_all(path.read_text())
    ]


def read_manifest(title: str) -> dict[str, Any]:
    """The document of that kind and name, as in "Service/saccade"."""
    [body] = [manifest.body for manifest in read_manifests() if manifest.title == title]
    return body


def read_kustomization() -> dict[str, Any]:
    """The kustomization."""
    body: dict[str, Any] = yaml.safe_load((FOLDER / KUSTOMIZATION).read_text())
    return body


def read_settings() -> dict[str, str]:
    """The variables that the ConfigMap is made of."""
    lines = (FOLDER / "settings.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
