"""Gives a model's artifact a form for MNN, as a version of its own."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

from saccade.v1 import manifest_pb2
from saccade_models.errors import ModelsError
from saccade_models.integrity import verify_all_files
from saccade_models.repository import publish_version, stage_version
from saccade_server import artifact as layout
from saccade_server.errors import EngineError
from saccade_server.loading.compile_mnn import MNNForm
from saccade_server.loading.process import Workshop

ENGINE = "mnn"
FOLDER = f"{layout.ASSETS}/{ENGINE}"
WORTH_IT = 1.1
"""Below this ratio of speeds in batches, or where single images are slower, nothing is gained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quickened:
    """The version that was written: its folder, and what is known of its form."""

    path: Path
    form: MNNForm


def quicken(artifact: layout.Artifact, *, force: bool = False) -> Quickened:
    """Publishes the artifact once more, with a form for MNN beside LiteRT's.

    Args:
        artifact: In a model repository; it stays as it is.
        force: The form is published whatever it gains here: servers may run elsewhere.

    Raises:
        ModelsError: Its manifest has no form for LiteRT or a quantised one, MNN is not installed,
            cannot take the graph, computes something else, or is no quicker and `force` is not set;
            nothing was written.
        ArtifactError: Its files are not those of its manifest.
    """
    verify_all_files(artifact)
    litert = _litert_form(artifact)
    with stage_version(artifact.path.absolute().parent) as staging:
        try:
            shutil.copytree(artifact.path, staging, dirs_exist_ok=True)
            form = _add_form(layout.read_artifact(staging), litert, force)
        except OSError as error:
            raise ModelsError(f"cannot write beside {artifact.path}: {error.strerror}") from error
        path = publish_version(staging)
    return Quickened(path=path, form=form)


def _litert_form(artifact: layout.Artifact) -> manifest_pb2.CompiledForm:
    known = artifact.manifest.compiled
    if any(form.quantization for form in known):
        raise ModelsError(f"{artifact.path} is quantised: MNN would run its graph in float32")
    if any(form.engine == ENGINE for form in known):
        raise ModelsError(f"{artifact.path} has a form for MNN")
    source = layout.saved_model_sha256(artifact.path)
    for form in known:
        if form.engine == "litert" and form.source_sha256 == source:
            return form
    # One that a server compiled is no help: how exact it is has not been written down.
    raise ModelsError(f"{artifact.path} has no form for LiteRT to make that for MNN of")


def _add_form(artifact: layout.Artifact, litert: manifest_pb2.CompiledForm, force: bool) -> MNNForm:
    manifest = artifact.manifest
    path = Path(FOLDER) / f"{litert.source_sha256[:32]}.mnn"
    target = artifact.path / path
    target.parent.mkdir(exist_ok=True)
    workshop = Workshop(artifact.path, threads=1, max_batch_images=1)
    try:
        made = asyncio.run(
            workshop.make_mnn(artifact, layout.inside(artifact.path, litert.path), target)
        )
    except EngineError as error:
        raise ModelsError(f"{error}; nothing was written") from error
    if not force and (made.single_ratio < 1 or made.batch_ratio < WORTH_IT):
        raise ModelsError(
            f"MNN has {made.single_ratio:.2f} times the speed of LiteRT with single images and "
            f"{made.batch_ratio:.2f} times in batches: nothing was written; --force publishes it"
        )
    manifest.compiled.append(
        manifest_pb2.CompiledForm(
            engine=ENGINE,
            path=path.as_posix(),
            source_sha256=litert.source_sha256,
            max_abs_error=made.max_abs_error,
        )
    )
    layout.write_manifest(artifact.path, manifest)
    return made
