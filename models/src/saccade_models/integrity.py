"""Whether an artifact's files are those that its manifest lists, all of them and no other."""

from saccade_server import artifact as layout
from saccade_server.artifact.files import sha256
from saccade_server.errors import ArtifactError
from saccade_server.loading import forms

MOST_NAMED = 10


def verify_all_files(artifact: layout.Artifact) -> None:
    """Compares the folder with the manifest.

    A form that a server has compiled beside the artifact, for its present graph, is no stranger.

    Raises:
        ArtifactError: Files are missing, differ, or are not listed; the text names them.
    """
    damage = find_damage(artifact)
    if damage:
        more = f"; and {len(damage) - MOST_NAMED} more" if len(damage) > MOST_NAMED else ""
        raise ArtifactError("; ".join(damage[:MOST_NAMED]) + more)


def find_damage(artifact: layout.Artifact) -> list[str]:
    """What is wrong, a text for each file: listed files in their order, then those not listed."""
    damage = []
    for expected in artifact.manifest.files:
        file = layout.inside(artifact.path, expected.path)
        if not file.is_file():
            damage.append(f"{file} is missing")
        elif file.stat().st_size != expected.bytes or sha256(file) != expected.sha256:
            damage.append(f"{file} is not the file that the manifest describes")
    listed = {file.path for file in artifact.manifest.files}
    known = {*listed, layout.MANIFEST, server_form(artifact)}
    damage += [
        f"{file} is not in the manifest"
        for file in sorted(artifact.path.rglob("*"))
        if not file.is_dir() and file.relative_to(artifact.path).as_posix() not in known
    ]
    return damage


def server_form(artifact: layout.Artifact) -> str:
    """Where a server keeps the form that it compiles of the present graph, if it may write."""
    return f"{forms.FOLDER}/{layout.saved_model_sha256(artifact.path)[:32]}{forms.SUFFIX}"
