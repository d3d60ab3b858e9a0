"""What `saccade-models inspect` says about an artifact, and what it checks."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from saccade.v1 import manifest_pb2
from saccade_models.errors import ModelsError
from saccade_models.integrity import verify_all_files
from saccade_models.quiet import drop_native_chatter
from saccade_models.warmup import check_warmup
from saccade_server import artifact as layout
from saccade_server.engines import load_engine
from saccade_server.engines.mnn import has_mnn
from saccade_server.errors import ArtifactError
from saccade_server.loading import golden_error, golden_of, verify_golden

SHOWN_LABELS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was found to be right.

    `warmup_requests` counts those for TensorFlow Serving, None where the artifact has no such file.
    `max_abs_errors` has, by engine, the largest difference of a golden probability: of a quantised
    form from its own golden answers. `not_installed` names engines that have a form and were not
    run.
    """

    files: int
    samples: int
    warmup_requests: int | None
    max_abs_errors: Mapping[str, float]
    not_installed: tuple[str, ...]


def verify(artifact: layout.Artifact) -> Verification:
    """Compares the checksums, then runs the golden samples through each engine with a form.

    Raises:
        ArtifactError: Files are missing, differ from their checksums or are not listed; a form was
            compiled from another graph; or an answer differs from the golden sample's.
        EngineError: The graph can't be loaded or run.
    """
    verify_all_files(artifact)
    warmup_requests = check_warmup(artifact)
    files: dict[str, Path | None] = {"tensorflow": None}
    for form in artifact.manifest.compiled:
        if form.source_sha256 != layout.saved_model_sha256(artifact.path):
            raise ArtifactError(f"{artifact.path}/{form.path} was compiled from another graph")
        files[form.engine] = layout.inside(artifact.path, form.path)
    not_installed = ("mnn",) if "mnn" in files and not has_mnn() else ()
    for kind in not_installed:
        del files[kind]
    errors = {}
    for kind, file in files.items():
        with drop_native_chatter(), closing(load_engine(artifact, kind, form=file)) as engine:
            golden = golden_of(artifact, file)
            verify_golden(artifact, engine, golden)
            errors[kind] = golden_error(artifact, engine, golden)
    return Verification(
        files=len(artifact.manifest.files),
        samples=len(artifact.manifest.golden.samples),
        warmup_requests=warmup_requests,
        max_abs_errors=errors,
        not_installed=not_installed,
    )


def describe(artifact: layout.Artifact) -> Iterator[tuple[str, str]]:
    """The manifest as pairs of a heading and a line of text."""
    manifest, spec = artifact.manifest, artifact.input
    made, figures = manifest.provenance, manifest.evaluation
    labels = ", ".join(artifact.class_labels[:SHOWN_LABELS])
    more = ", ..." if len(artifact.class_labels) > SHOWN_LABELS else ""
    size = sum(file.bytes for file in manifest.files)

    yield "model", manifest.model
    yield "path", str(artifact.path)
    yield (
        "input",
        f"{spec.signature}({spec.name}): {spec.height} x {spec.width} {spec.color_space.value}, "
        f"{spec.dtype}, {_range(spec)}, resize {spec.resize.value}",
    )
    yield (
        "output",
        f"{artifact.output.name}: {'logits' if artifact.output.logits else 'probabilities'}",
    )
    yield "classes", f"{len(artifact.class_labels)}: {labels}{more}"
    yield "evaluation", _evaluation(figures)
    yield "network", f"{made.network or 'unknown'}, {made.weights:,} weights"
    yield "data set", f"{made.dataset}, seed {made.seed}" if made.dataset else "unknown"
    yield "parameters", _listed("", dict(made.parameters)) or "none"
    yield "versions", _listed("", dict(made.versions))
    yield "command", made.command
    yield "created", made.created_at
    yield "files", f"{len(manifest.files)}, {size / 1e6:.1f} MB"
    yield "extras", ", ".join(_extras(manifest)) or "none"
    yield "compiled", ", ".join(map(_form, manifest.compiled)) or "none"


def list_files(artifact: layout.Artifact) -> Iterator[str]:
    """Checksum, size and path of each file in the manifest, as `sha256sum` has them."""
    for file in artifact.manifest.files:
        yield f"{file.sha256}  {file.bytes:>12,}  {file.path}"


def open_artifact(path: Path) -> layout.Artifact:
    """Reads an artifact's manifest.

    Raises:
        ModelsError: There is no such folder.
        ArtifactError: It holds no artifact, or one that is wrong.
    """
    if not path.is_dir():
        raise ModelsError(f"{path} is not a folder: name a version's, such as repository/digits/1")
    return layout.read_artifact(path)


def _range(spec: layout.InputSpec) -> str:
    if spec.takes_pixels:
        return "pixels 0 to 255"
    channels = zip(spec.scale.tolist(), spec.offset.tolist(), strict=True)
    shown = [f"{scale:.6g} x pixel {offset:+.6g}" for scale, offset in channels]
    return shown[0] if len(set(shown)) == 1 else " | ".join(shown)


def _evaluation(figures: manifest_pb2.Evaluation) -> str:
    if not figures.samples:
        return "none"
    return (
        f"{figures.dataset}: accuracy {figures.accuracy:.2%} of {figures.samples} samples"
        + _listed(", ", {name: f"{value:.4f}" for name, value in figures.metrics.items()})
    )


def _extras(manifest: manifest_pb2.Manifest) -> Iterator[str]:
    """What lies in `assets.extra`, a file or a folder each."""
    counts: dict[str, int] = {}
    for file in manifest.files:
        folder, *rest = file.path.split("/")
        if folder == layout.ASSETS:
            name = rest[0] + "/" * (len(rest) > 1)
            counts[name] = counts.get(name, 0) + 1
    for name, count in sorted(counts.items()):
        yield f"{name} ({count} files)" if count > 1 else name


def _form(form: manifest_pb2.CompiledForm) -> str:
    if not form.quantization:
        return form.engine
    return f"{form.engine} {form.quantization}, off by up to {form.max_abs_error:.1g}"


def _listed(before: str, values: dict[str, str]) -> str:
    return before * bool(values) + ", ".join(f"{key} {values[key]}" for key in sorted(values))
