"""What `saccade-models inspect` says about an artifact, and what it checks."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from saccade.v1 import manifest_pb2
from saccade_models.errors import ModelsError
from saccade_models.quiet import drop_native_chatter
from saccade_server import artifact as layout
from saccade_server.engines import load_engine
from saccade_server.loading import golden_error, golden_of, verify_golden

SHOWN_LABELS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was found to be right.

    `max_abs_errors` has, by engine, the largest difference of a golden probability: of a quantised
    form from its own golden answers.
    """

    files: int
    samples: int
    max_abs_errors: Mapping[str, float]


def verify(artifact: layout.Artifact) -> Verification:
    """Compares the checksums, then runs the golden samples through each engine with a form.

    Raises:
        ArtifactError: A file differs from its checksum, or an answer from the golden sample's.
        EngineError: The graph can't be loaded or run.
    """
    layout.verify_files(artifact)
    files: dict[str, Path | None] = {"tensorflow": None}
    for form in artifact.manifest.compiled:
        files[form.engine] = layout.inside(artifact.path, form.path)
    errors = {}
    for kind, file in files.items():
        with drop_native_chatter(), closing(load_engine(artifact, kind, form=file)) as engine:
            golden = golden_of(artifact, file)
            verify_golden(artifact, engine, golden)
            errors[kind] = golden_error(artifact, engine, golden)
    return Verification(
        files=len(artifact.manifest.files),
        samples=len(artifact.manifest.golden.samples),
        max_abs_errors=errors,
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
    yield "compiled", ", ".join(map(_form, manifest.compiled)) or "none"


def open_artifact(path: Path) -> layout.Artifact:
    """Reads an artifact's manifest.

    Raises:
        ModelsError: There is no such folder.
        ArtifactError: It holds no artifact, or one that is wrong.
    """
    if not path.is_dir():
        raise ModelsError(f"{path} is not a folder: name a version's, such as repository/digits/1")
    return layout.read_artifact(path)


def _form(form: manifest_pb2.CompiledForm) -> str:
    if not form.quantization:
        return form.engine
    return f"{form.engine} {form.quantization}, off by up to {form.max_abs_error:.1g}"


def _listed(before: str, values: dict[str, str]) -> str:
    return before * bool(values) + ", ".join(f"{key} {values[key]}" for key in sorted(values))
