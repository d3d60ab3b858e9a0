"""Where an adopted model comes from, and what its adopter knew or guessed."""

import shlex
from datetime import UTC, datetime
from pathlib import Path

from saccade.v1 import manifest_pb2
from saccade_models.adoption.choosing import Choice
from saccade_models.adoption.config import AdoptionConfig
from saccade_models.adoption.sources import Brought
from saccade_models.provenance import installed_versions


def describe_adoption(
    config: AdoptionConfig, brought: Brought, choice: Choice
) -> manifest_pb2.Provenance:
    """The provenance of a model that is being adopted now."""
    return manifest_pb2.Provenance(
        network=brought.network,
        command=shlex.join(command_line(config)),
        created_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        versions=installed_versions(),
        parameters={
            "source": f"{brought.kind} {config.source.name}",
            "source-sha256": brought.source_sha256,
            "range": f"{choice.preprocessing.range.text}, {choice.range_reason}",
            "color": f"{choice.preprocessing.color_space.value}, {choice.color_reason}",
        },
        weights=brought.weights,
    )


def command_line(config: AdoptionConfig) -> list[str]:
    """The command with what was given; of absolute paths the last name only."""
    arguments = {
        "name": config.name,
        "labels": _told(config.labels),
        "samples": _told(config.samples),
        "signature": config.signature,
        "output-name": config.output_name,
        "height": str(config.height or ""),
        "width": str(config.width or ""),
        "color": config.color,
        "resize": config.resize,
        "range": config.range,
        "scale": "" if config.scale is None else repr(config.scale),
        "mean": ",".join(map(repr, config.mean)),
        "std": ",".join(map(repr, config.std)),
        "activation": config.activation,
        "output": _told(config.output),
    }
    flags = [f"--{flag}={value}" for flag, value in arguments.items() if value]
    return ["saccade-models", "adopt", _told(config.source), *flags]


def _told(path: Path | None) -> str:
    if path is None:
        return ""
    return path.name if path.is_absolute() else path.as_posix()
