"""`saccade-models quicken` as a user runs it."""

import shutil
from pathlib import Path

import pytest

from saccade_models import inspection, quickening
from saccade_models.cli import main
from saccade_models.inspection import verify
from saccade_server.artifact import read_artifact, read_manifest, write_manifest


@pytest.fixture
def version(artifact: Path, tmp_path: Path) -> Path:
    """The folder of the only version of `digits`."""
    folder = tmp_path / "digits" / "1"
    shutil.copytree(artifact, folder)
    return folder


def refusal(version: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What is said where nothing was written, but for the program's name."""
    code = main(["quicken", str(version)])
    told = capsys.readouterr().err

    assert (1, ["1"], 1) == (
        code,
        [folder.name for folder in version.parent.iterdir()],
        told.count("\n"),
    )
    return told.removeprefix("saccade-models: ")


def test_the_next_version_has_both_forms(version: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line tells what was gained; all engines give the golden answers."""
    code = main(["quicken", "--force", str(version)])
    told = capsys.readouterr().out
    found = verify(read_artifact(version.parent / "2"))

    assert (0, 1, True, {"tensorflow", "litert", "mnn"}) == (
        code,
        told.count("\n"),
        told.startswith("MNN has ") and told.endswith(f"{version.parent / '2'}\n"),
        set(found.max_abs_errors),
    )


def test_the_folder_may_be_the_current_one(
    version: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The next version is written beside it, not into it."""
    monkeypatch.chdir(version)
    code = main(["quicken", "--force", "."])
    capsys.readouterr()

    assert (0, ["1", "2"]) == (code, sorted(each.name for each in version.parent.iterdir()))


def test_inspect_says_which_form_it_did_not_run(
    version: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where MNN is not installed; the others are verified all the same."""
    main(["quicken", "--force", str(version)])
    monkeypatch.setattr(inspection, "has_mnn", lambda: False)
    code = main(["inspect", str(version.parent / "2")])
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("verified")]

    assert (0, True, True, False) == (
        code,
        line.endswith("; mnn is not installed"),
        "litert off by" in line,
        "mnn off by" in line,
    )


def test_evaluating_runs_what_a_server_runs(
    version: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report names MNN, whose answers are as often right."""
    main(["quicken", "--force", str(version)])
    accuracies = {}
    for number in "1", "2":
        folder = str(version.parent / number)
        main(["evaluate", folder, "--dataset", "digits", "--output", str(tmp_path / number)])
        accuracies[number] = (tmp_path / number / "report.json").read_text()
    capsys.readouterr()

    assert (True, False) == ('"mnn"' in accuracies["2"], '"mnn"' in accuracies["1"])


def test_a_form_that_gains_nothing_is_not_published(
    version: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text has the ratios, and the way to have it all the same."""
    monkeypatch.setattr(quickening, "WORTH_IT", 1e6)
    expected = "times in batches: nothing was written; --force publishes it"

    assert expected in refusal(version, capsys)


def test_a_form_that_gains_nothing_here_is_published_by_force(
    version: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers may run on other machines."""
    monkeypatch.setattr(quickening, "WORTH_IT", 1e6)
    code = main(["quicken", "--force", str(version)])
    capsys.readouterr()

    assert (0, ["1", "2"]) == (code, sorted(each.name for each in version.parent.iterdir()))


def test_a_form_that_computes_something_else_is_not_published(
    version: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Golden answers are what it is held to."""
    manifest = read_manifest(version)
    for sample in manifest.golden.samples:
        sample.probabilities[0] += 0.001
    write_manifest(version, manifest)

    assert "on MNN the graph differs by 0.001 from the SavedModel" in refusal(version, capsys)


def test_a_version_is_quickened_once(version: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its own form is not made again."""
    manifest = read_manifest(version)
    manifest.compiled[0].engine = "mnn"
    write_manifest(version, manifest)

    assert f"{version} has a form for MNN\n" == refusal(version, capsys)


def test_a_quantised_version_is_left_alone(
    version: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """MNN would run the graph that is not quantised."""
    manifest = read_manifest(version)
    manifest.compiled[0].quantization = "int8"
    write_manifest(version, manifest)

    assert "is quantised: MNN would run its graph in float32" in refusal(version, capsys)


def test_a_version_that_litert_cannot_run_is_left_alone(
    version: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The form is made of LiteRT's."""
    shutil.rmtree(version / "assets.extra" / "litert")
    manifest = read_manifest(version)
    del manifest.compiled[:]
    write_manifest(version, manifest)

    assert "has no form for LiteRT" in refusal(version, capsys)


def test_a_damaged_version_is_not_copied(version: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The text names the file."""
    (version / "saved_model.pb").write_bytes(b"damaged")

    assert "saved_model.pb is not the file that the manifest describes" in refusal(version, capsys)
