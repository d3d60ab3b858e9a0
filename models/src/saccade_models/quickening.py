"""Gives a model's artifact a form for MNN, as a version of its own."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from saccade.v1 import manifest_pb2
from saccade_models.errors import ModelsError
from saccade_models.integrity import verify_all_files
from saccade_models.repository import publish_version, stage_version
from saccade_server import artifact as layout
from saccade_server.loading import FormStore

ENGINE = "mnn"
FOLDER = f"{layout.ASSETS}/{ENGINE}"
WORTH_IT = 1.1
"""Below this ratio of speeds in batches, or where single images are slower, nothing is gained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quickened:
    """The version that was written.

    Attributes:
        path: Its folder.
        single_ratio: LiteRT's processor time by MNN's for one image, one thread, this machine.
        batch_ratio: The same for an image in a batch.
        max_abs_error: Largest difference of a probability from the SavedModel's.
    """

    path: Path
    single_ratio: float
    batch_ratio: float
    max_abs_error: float


def quicken(artifact: layout.Artifact) -> Quickened:
    """Publishes the artifact once more, with a form for MNN beside LiteRT's.

    Args:
        artifact: In a model repository; it stays as it is.

    Raises:
        ModelsError: It has no form for LiteRT or a quantised one, MNN is not installed, cannot take
            the graph, computes something else or is no quicker; nothing was written.
        ArtifactError: Its files are not those of its manifest.
    """
    _check(artifact)
    verify_all_files(artifact)
    with stage_version(artifact.path.absolute().parent) as staging:
        try:
            shutil.copytree(artifact.path, staging, dirs_exist_ok=True)
            copy = layout.read_artifact(staging)
            source = layout.saved_model_sha256(staging)
            form = Path(FOLDER) / f"{source[:32]}.mnn"
            (staging / FOLDER).mkdir(exist_ok=True)
            litert = FormStore(staging).find(copy)
            if litert is None:
                raise ModelsError(f"{artifact.path} has no form for LiteRT to make that for MNN of")
            made = _make(copy, litert, staging / form)
            manifest = layout.read_manifest(staging)
            manifest.compiled.append(
                manifest_pb2.CompiledForm(
                    engine=ENGINE,
                    path=form.as_posix(),
                    source_sha256=source,
                    max_abs_error=made["max_abs_error"],
                )
            )
            layout.write_manifest(staging, manifest)
        except OSError as error:
            raise ModelsError(f"cannot write beside {artifact.path}: {error.strerror}") from error
        path = publish_version(staging)
    return Quickened(path=path, **made)


def _check(artifact: layout.Artifact) -> None:
    known = artifact.manifest.compiled
    if any(form.quantization for form in known):
        raise ModelsError(f"{artifact.path} is quantised: MNN would run its graph in float32")
    if any(form.engine == ENGINE for form in known):
        raise ModelsError(f"{artifact.path} has a form for MNN")


def _make(artifact: layout.Artifact, form: Path, target: Path) -> dict[str, float]:
    """In another process: a runtime that fails may end its own."""
    command = [
        *(sys.executable, "-m", "saccade_server.loading", "mnn", str(artifact.path)),
        *("--form", str(form), "--target", str(target)),
    ]
    done = subprocess.run(  # noqa: S603 - Our own program.
        command, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode != 0:
        reason = done.stderr.strip().rpartition("\n")[2] or f"exit code {done.returncode}"
        raise ModelsError(f"{reason}; nothing was written")
    made: dict[str, float] = json.loads(done.stdout)
    if made["single_ratio"] < 1 or made["batch_ratio"] < WORTH_IT:
        raise ModelsError(
            f"MNN has {made['single_ratio']:.2f} times the speed of LiteRT with single images and "
            f"{made['batch_ratio']:.2f} times in batches: nothing was written"
        )
    return made
