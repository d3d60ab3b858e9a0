"""`saccade-models evaluate` as a user runs it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from saccade_models.cli import main


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs the command, with stdout and stderr in pipes."""
    command = [sys.executable, "-m", "saccade_models", "evaluate", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_figures_are_text_for_people(artifact: Path, tmp_path: Path) -> None:
    """With the interval; nothing else is said, and both files are written."""
    done = run(artifact, "--dataset", "digits", "--output", tmp_path / "report")
    figures = json.loads((tmp_path / "report" / "report.json").read_text())

    assert (0, "", True, True) == (
        done.returncode,
        done.stderr,
        f"accuracy     {figures['accuracy']:.2%} ({figures['correct']} of 360), 95 % interval"
        in done.stdout,
        (tmp_path / "report" / "report.html").is_file(),
    )


def test_the_report_is_json_on_request(artifact: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing else is on stdout."""
    code = main(["evaluate", str(artifact), "--dataset", "digits", "--split=validation", "--json"])
    told = json.loads(capsys.readouterr().out)

    assert (0, "validation", 288) == (code, told["split"], told["samples"])


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (["--dataset", "letters"], "--dataset"),
        (["--dataset", "digits", "--split", "train"], "--split"),
        ([], "--dataset"),
    ],
)
def test_a_wrong_flag_is_one_line_and_exit_code_2(
    flags: list[str], text: str, artifact: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line names the flag."""
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", str(artifact), *flags])
    told = capsys.readouterr().err

    assert (2, 1, True) == (stop.value.code, told.count("\n"), text in told)


def test_an_output_inside_the_artifact_is_refused(
    artifact: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would no longer be what its checksums say."""
    before = sorted(artifact.rglob("*"))

    code = main(["evaluate", str(artifact), "--dataset=digits", f"--output={artifact / 'report'}"])

    assert (2, 1, before) == (
        code,
        capsys.readouterr().err.count("\n"),
        sorted(artifact.rglob("*")),
    )


def test_an_output_that_cannot_be_written_is_one_line_and_exit_code_1(
    artifact: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line names it."""
    (tmp_path / "file").write_text("")

    code = main(["evaluate", str(artifact), "--dataset=digits", f"--output={tmp_path}/file/there"])
    told = capsys.readouterr().err

    assert (1, 1, True) == (code, told.count("\n"), "cannot write" in told)


def test_what_is_no_artifact_is_one_line_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line names the folder."""
    code = main(["evaluate", str(tmp_path), "--dataset", "digits"])
    told = capsys.readouterr().err

    assert (1, 1, True) == (code, told.count("\n"), str(tmp_path) in told)
