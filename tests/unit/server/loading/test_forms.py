"""Where compiled forms are kept and found."""

from pathlib import Path

import pytest

from fixtures.manifests import minimal_manifest, write_artifact
from saccade_server.artifact import (
    ASSETS,
    GRAPH,
    Artifact,
    read_artifact,
    saved_model_sha256,
    write_manifest,
)
from saccade_server.errors import ArtifactError
from saccade_server.loading import FormStore

FORM = b"a compiled graph"


@pytest.fixture
def store(tmp_path: Path) -> FormStore:
    """What is tested; its cache is not there yet."""
    return FormStore(tmp_path / "a" / "cache")


@pytest.fixture
def tiny(tmp_path: Path) -> Artifact:
    """An artifact without a compiled form."""
    return read_artifact(write_artifact(tmp_path / "tiny" / "1"))


def declare(tiny: Artifact, path: str, source_sha256: str, engine: str = "litert") -> Artifact:
    """The artifact with a form in its manifest."""
    manifest = minimal_manifest()
    manifest.compiled.add(engine=engine, path=path, source_sha256=source_sha256)
    write_manifest(tiny.path, manifest)
    return read_artifact(tiny.path)


def test_what_was_never_compiled_is_not_found(store: FormStore, tiny: Artifact) -> None:
    """It is compiled then."""
    assert store.find(tiny) is None


def test_a_form_that_was_kept_is_found(store: FormStore, tiny: Artifact) -> None:
    """By another server too."""
    path = store.keep(tiny, FORM)

    assert (path, FORM) == (store.find(tiny), path.read_bytes())


def test_a_form_is_kept_in_its_artifact(store: FormStore, tiny: Artifact) -> None:
    """So that it goes where the artifact goes."""
    assert store.keep(tiny, FORM).is_relative_to(tiny.path / ASSETS)


def test_nothing_else_is_left_in_the_artifact(store: FormStore, tiny: Artifact) -> None:
    """What was written beside the form's place was renamed."""
    path = store.keep(tiny, FORM)

    assert [path.name] == [file.name for file in path.parent.iterdir()]


def test_the_form_of_a_read_only_artifact_goes_to_the_cache(
    store: FormStore, tiny: Artifact, tmp_path: Path
) -> None:
    """A file in the way does what missing rights would do, for any user."""
    (tiny.path / ASSETS / "litert").write_text("in the way")
    path = store.keep(tiny, FORM)

    assert (tmp_path / "a" / "cache", path) == (path.parent, store.find(tiny))


def test_a_form_of_another_graph_is_not_found(store: FormStore, tiny: Artifact) -> None:
    """A graph that was exchanged under its number is compiled anew."""
    store.keep(tiny, FORM)
    (tiny.path / GRAPH).write_bytes(b"another graph")

    assert store.find(tiny) is None


def test_a_form_of_the_manifest_is_found(store: FormStore, tiny: Artifact) -> None:
    """Under whatever name its maker gave it."""
    (tiny.path / "quick.tflite").write_bytes(FORM)
    artifact = declare(tiny, "quick.tflite", saved_model_sha256(tiny.path))

    assert tiny.path / "quick.tflite" == store.find(artifact)


def test_a_form_is_found_by_its_engine(store: FormStore, tiny: Artifact) -> None:
    """Those that servers compile themselves are for LiteRT."""
    kept = store.keep(tiny, FORM)
    (tiny.path / "quick.mnn").write_bytes(FORM)
    artifact = declare(tiny, "quick.mnn", saved_model_sha256(tiny.path), "mnn")

    assert (kept, tiny.path / "quick.mnn", None) == (
        store.find(artifact),
        store.find(artifact, "mnn"),
        store.find(artifact, "abacus"),
    )


@pytest.mark.parametrize(
    ("source", "engine", "path"),
    [
        ("0" * 64, "litert", "quick.tflite"),
        (None, "abacus", "quick.tflite"),
        (None, "litert", "gone.tflite"),
    ],
    ids=["of another graph", "for another engine", "missing"],
)
def test_a_form_of_the_manifest_that_does_not_fit_is_passed_over(
    store: FormStore, tiny: Artifact, source: str | None, engine: str, path: str
) -> None:
    """The graph is compiled anew."""
    (tiny.path / "quick.tflite").write_bytes(FORM)
    artifact = declare(tiny, path, source or saved_model_sha256(tiny.path), engine)

    assert store.find(artifact) is None


def test_a_form_outside_of_its_artifact_is_refused(store: FormStore, tiny: Artifact) -> None:
    """A manifest cannot make the server run a file from elsewhere."""
    artifact = declare(tiny, "../../quick.tflite", saved_model_sha256(tiny.path))

    with pytest.raises(ArtifactError, match="leads out of"):
        store.find(artifact)
