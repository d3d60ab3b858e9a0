"""What `saccade-models inspect` says about an artifact, and what it checks."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from saccade_models.errors import ModelsError
from saccade_models.golden import golden_error
from saccade_server import artifact as layout
from saccade_server.engines import load_engine
from saccade_server.errors import SaccadeError

SHOWN_LABELS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was found to be right: the number of files and samples, and the largest difference."""

    files: int
    samples: int
    max_abs_error: float


def verify(artifact: layout.Artifact) -> Verification:
    """Compares the checksums, then runs the golden samples through the TensorFlow engine.

    Raises:
        ArtifactError: A file is missing or differs from its checksum.
        EngineError: The graph can't be loaded or run.
        ModelsError: A golden sample can't be decoded, or its probabilities are not reproduced.
    """
    layout.verify_files(artifact)
    golden = artifact.manifest.golden
    with closing(load_engine(artifact, "tensorflow")) as engine:
        try:
            error = golden_error(artifact, engine)
        except SaccadeError as problem:
            raise ModelsError(f"{artifact.path}: a golden sample: {problem.message}") from problem
    # Written so that a NaN fails too.
    if not error <= golden.max_abs_error:
        raise ModelsError(
            f"{artifact.path}: golden samples are off by up to {error:.2g}, "
            f"{golden.max_abs_error:.2g} is allowed"
        )
    return Verification(
        files=len(artifact.manifest.files), samples=len(golden.samples), max_abs_error=error
    )


def describe(artifact: layout.Artifact) -> Iterator[tuple[str, str]]:
    """The manifest as pairs of a heading and a line of text."""
    manifest, spec = artifact.manifest, artifact.input
    made, figures = manifest.provenance, manifest.evaluation
    scale = "pixels 0 to 255" if spec.takes_pixels else f"pixel x {spec.scale} + {spec.offset}"
    labels = ", ".join(artifact.class_labels[:SHOWN_LABELS])
    more = ", ..." if len(artifact.class_labels) > SHOWN_LABELS else ""
    size = sum(file.bytes for file in manifest.files)

    yield "model", manifest.model
    yield "path", str(artifact.path)
    yield (
        "input",
        f"{spec.signature}({spec.name}): {spec.height} x {spec.width} {spec.color_space.value}, "
        f"{spec.dtype}, {scale}, resize {spec.resize.value}",
    )
    yield (
        "output",
        f"{artifact.output.name}: {'logits' if artifact.output.logits else 'probabilities'}",
    )
    yield "classes", f"{len(artifact.class_labels)}: {labels}{more}"
    yield (
        "evaluation",
        f"{figures.dataset}: accuracy {figures.accuracy:.2%} of {figures.samples} samples"
        + _listed(", ", {name: f"{value:.4f}" for name, value in figures.metrics.items()}),
    )
    yield "network", f"{made.network}, {made.weights:,} weights"
    yield "data set", f"{made.dataset}, seed {made.seed}"
    yield "parameters", _listed("", dict(made.parameters))
    yield "versions", _listed("", dict(made.versions))
    yield "command", made.command
    yield "created", made.created_at
    yield "files", f"{len(manifest.files)}, {size / 1e6:.1f} MB"
    yield "compiled", ", ".join(form.engine for form in manifest.compiled) or "none"


def open_artifact(path: Path) -> layout.Artifact:
    """Reads an artifact's manifest.

    Raises:
        ModelsError: There is no such folder.
        ArtifactError: It holds no artifact, or one that is wrong.
    """
    if not path.is_dir():
        raise ModelsError(f"{path} is not a folder: name a version's, such as repository/digits/1")
    return layout.read_artifact(path)


def _listed(before: str, values: dict[str, str]) -> str:
    return before * bool(values) + ", ".join(f"{key} {values[key]}" for key in sorted(values))
