"""Making an engine by its name, or saying why there is none."""

import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.manifests import write_artifact
from saccade_server.artifact import Artifact, read_artifact
from saccade_server.engines import load_engine
from saccade_server.errors import EngineError

RUNTIMES = [("mnn", "MNN"), ("litert", "LiteRT")]


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
    assert "unknown engine 'abacus': choose mnn, litert, tensorflow" == refusal(tiny, "abacus")


@pytest.mark.parametrize(("kind", "runtime"), RUNTIMES)
def test_a_runtime_needs_a_compiled_form(tiny: Artifact, kind: str, runtime: str) -> None:
    """The text names the artifact."""
    assert f"{tiny.path} is not compiled for {runtime}" == refusal(tiny, kind)


@pytest.mark.parametrize(("kind", "runtime"), RUNTIMES)
@pytest.mark.parametrize("content", [b"", b"no model", b"\x1c\0\0\0TFL3" + bytes(100)])
def test_a_damaged_form_is_refused(
    tiny: Artifact, tmp_path: Path, content: bytes, kind: str, runtime: str
) -> None:
    """As an error of the engine, which the loader expects; the text names the file."""
    form = tmp_path / "form"
    form.write_bytes(content)

    assert refusal(tiny, kind, form).startswith(f"{runtime} cannot load {form}: ")


def test_without_mnn_the_text_says_how_to_get_it(
    tiny: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "MNN", None)

    expected = "MNN is not installed: pip install 'saccade-server[mnn]'"
    assert expected == refusal(tiny, "mnn", tiny.path)


def test_what_mnn_says_of_the_processor_is_not_printed() -> None:
    """Standard output is the server's own."""
    program = "from saccade_server.engines.mnn import import_mnn; import_mnn(); print('ready')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert ("ready\n", "") == (done.stdout, done.stderr)


def test_without_tensorflow_the_text_says_how_to_get_it(
    tiny: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The light server does not bring it."""
    monkeypatch.setitem(sys.modules, "tensorflow", None)

    expected = "this graph needs TensorFlow: pip install 'saccade-server[tensorflow]'"
    assert expected == refusal(tiny, "tensorflow")
