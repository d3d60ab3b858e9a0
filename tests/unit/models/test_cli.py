import json
import subprocess
import sys
from pathlib import Path

import pytest

from saccade_models.cli import main
from saccade_models.networks import NETWORKS

TRAIN = ["train", "--output", "unused", "--name", "digits"]


def exit_code(arguments: list[str]) -> int:
    """Of main, which leaves by SystemExit where flags are wrong."""
    try:
        return main(arguments)
    except SystemExit as stop:
        return int(str(stop.code))


@pytest.mark.parametrize("what", ["networks", "datasets"])
def test_lists_are_json_on_request(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each entry has its name and a summary."""
    code = main([what, "--json"])

    entries = json.loads(capsys.readouterr().out)

    assert (0, {("name", "summary")}) == (code, {tuple(entry)[:2] for entry in entries})


def test_lists_are_text_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, the name first."""
    main(["networks"])

    assert [*NETWORKS] == [line.split()[0] for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    "wrong",
    [
        ["--network", "perceptron"],
        ["--dataset", "letters"],
        ["--activation", "step"],
        ["--pooling", "median"],
        ["--loss", "hinge"],
        ["--epochs", "0"],
        ["--epochs", "many"],
        ["--batch-size", "0"],
        ["--image-size", "12x"],
        ["--image-size", "0"],
        ["--color", "bgr"],
        ["--cache-mb", "-1"],
        ["--learning-rate", "-1"],
        ["--seed", "-1"],
        ["--optimizer", "lion"],
        ["--schedule", "steps"],
        ["--warmup-epochs", "25"],
        ["--label-smoothing", "1"],
        ["--class-weights", "heavy"],
        ["--augmentation", "blur"],
        ["--ema", "1"],
        ["--patience", "-1"],
        ["--weight-decay", "nan"],
        ["--name", "a/b"],
    ],
)
def test_a_wrong_flag_is_one_line_and_exit_code_2(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The line names the flag."""
    code = exit_code([*TRAIN, *wrong])

    told = capsys.readouterr().err

    assert (2, 1, True) == (code, told.count("\n"), wrong[0].removeprefix("--") in told)


def test_an_output_that_cannot_be_written_is_one_line_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is found before the training, not after."""
    (tmp_path / "file").write_text("")

    code = main(["train", "--output", str(tmp_path / "file"), "--name", "digits"])

    assert (1, f"saccade-models: cannot write to {tmp_path}/file/digits: Not a directory\n") == (
        code,
        capsys.readouterr().err,
    )


def test_a_folder_that_is_no_artifact_is_one_line_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is no traceback."""
    code = main(["inspect", str(tmp_path)])

    told = capsys.readouterr().err

    assert (1, 1, True) == (code, told.count("\n"), "saved_model.pb" in told)


def test_samples_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As many as asked for, and one line says where."""
    code = main(["samples", "--count", "3", "--output", str(tmp_path)])

    assert (0, 3, 1) == (
        code,
        len(list(tmp_path.glob("*.png"))),
        capsys.readouterr().out.count("\n"),
    )


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["networks"]])
def test_light_commands_do_not_import_tensorflow(arguments: list[str]) -> None:
    """They answer at once."""
    code = (
        "import sys\n"
        "from saccade_models.cli import main\n"
        "try:\n"
        f"    main({arguments!r})\n"
        "finally:\n"
        "    print({'tensorflow', 'keras', 'sklearn'} & set(sys.modules), file=sys.stderr)\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert "set()\n" == done.stderr


def test_a_network_for_larger_images_names_those_that_take_these(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, exit code 2, and nothing is left behind."""
    able = [network.name for network in NETWORKS.values() if network.takes((28, 28, 1))]
    flags = ["--network=vgg16", "--dataset=digits", "--name=digits"]

    code = main(["train", *flags, f"--output={tmp_path}"])
    told = capsys.readouterr().err

    assert (2, 1, True, []) == (
        code,
        told.count("\n"),
        told.endswith(f"got 28 x 28 x 1; these can: {', '.join(able)}\n"),
        list(tmp_path.iterdir()),
    )
