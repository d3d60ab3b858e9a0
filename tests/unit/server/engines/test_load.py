"""Making an engine by its name, or saying why there is none."""

import sys
from pathlib import Path

import pytest

from fixtures.manifests import write_artifact
from saccade_server.artifact import Artifact, read_artifact
from saccade_server.engines import load_engine
from saccade_server.errors import EngineError


@pytest.fixture
def tiny(tmp_path: Path) -> Artifact:
    """An artifact whose graph no engine can open."""
    return read_artifact(write_artifact(tmp_path / "1"))


def refusal(artifact: Artifact, kind: str, form: Path | None = None) -> str:
    """The text with which an engine is refused."""
    with pytest.raises(EngineError) as refused:
        load_engine(artifact, kind, form=form)
    return str(refused.value)


def test_an_unknown_engine_is_refused(tiny: Artifact) -> None:
    """The text says which there are."""
    assert "unknown engine 'abacus': choose litert or tensorflow" == refusal(tiny, "abacus")


def test_litert_needs_a_compiled_form(tiny: Artifact) -> None:
    """The text names the artifact."""
    assert f"{tiny.path} is not compiled for LiteRT" == refusal(tiny, "litert")


@pytest.mark.parametrize("content", [b"", b"no model", b"\x1c\0\0\0TFL3" + bytes(100)])
def test_a_damaged_form_is_refused(tiny: Artifact, tmp_path: Path, content: bytes) -> None:
    """As an error of the engine, which the loader expects; the text names the file."""
    form = tmp_path / "form.tflite"
    form.write_bytes(content)

    assert refusal(tiny, "litert", form).startswith(f"LiteRT cannot load {form}: ")


def test_without_tensorflow_the_text_says_how_to_get_it(
    tiny: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The light server does not bring it."""
    monkeypatch.setitem(sys.modules, "tensorflow", None)

    expected = "this graph needs TensorFlow: pip install 'saccade-server[tensorflow]'"
    assert expected == refusal(tiny, "tensorflow")
