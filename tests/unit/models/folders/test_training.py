"""A network trained on a folder of pictures, and the artifact that comes of it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixtures.photographs import paint, write_classes
from saccade_models.cli import main
from saccade_models.config import TrainingConfig
from saccade_models.datasets import Dataset, PictureForm, load_dataset
from saccade_models.training.checkpoints import fingerprint, open_checkpoints
from saccade_models.training.fitting import Fitted, fit
from saccade_models.training.history import Epoch, History
from saccade_models.training.interruption import Interruption
from saccade_server.artifact import Artifact, read_artifact
from saccade_server.imaging import decode_image

FORM = PictureForm(height=12, width=16)
FLAGS = ["--dataset", "folder", "--image-size", "12x16"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three kinds of pictures; one file is damaged."""
    root = write_classes(tmp_path_factory.mktemp("pets"), {"cat": 15, "dog": 15, "fox": 15})
    (root / "fox" / "000.jpg").write_bytes(b"\xff\xd8 no more")
    return root


@pytest.fixture(scope="module")
def dataset(root: Path) -> Dataset:
    return load_dataset("folder", root, form=FORM)


@pytest.fixture(scope="module")
def artifact(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """Of the command itself."""
    output = tmp_path_factory.mktemp("repository")
    command = ["train", *FLAGS, "--data-dir", str(root), "--epochs", "1", "--batch-size", "16"]
    assert 0 == main([*command, "--output", str(output), "--name", "pets"])
    return read_artifact(output / "pets" / "1")


def config(folder: Path, root: Path, **settings: Any) -> TrainingConfig:
    known: dict[str, Any] = {"epochs": 3, "batch_size": 8, "form": FORM, "data_dir": root}
    return TrainingConfig(output=folder, name="pets", dataset="folder", **(known | settings))


def test_the_artifact_decodes_as_the_training_did(
    artifact: Artifact, dataset: Dataset, root: Path
) -> None:
    """What is served of a file are the pixels that were trained on, to the last bit."""
    files = [file for file in root.rglob("*.jpg") if file.stat().st_size > 10]

    served = {decode_image(file.read_bytes(), artifact.input).tobytes() for file in files}

    splits = (dataset.train, dataset.validation, dataset.test)
    assert served == {image.tobytes() for split in splits for image in split.images[:]}


def test_the_artifact_tells_how_to_make_it_again(artifact: Artifact) -> None:
    """Size and colours are among its settings."""
    provenance = artifact.manifest.provenance

    assert ("folder", "12x16", "rgb", "photographs") == (
        provenance.dataset,
        *(provenance.parameters[name] for name in ("image-size", "color", "augmentation")),
    )
    assert "--image-size 12x16 --color rgb" in provenance.command


def test_golden_samples_and_report_are_of_the_test_split(artifact: Artifact) -> None:
    """A golden sample of each class; the report names the folder."""
    report = json.loads((artifact.path / "assets.extra" / "report.json").read_text())

    assert [0, 1, 2] == [sample.truth for sample in artifact.manifest.golden.samples]
    assert (report["samples"], "test") == (9, report["split"])
    assert report["dataset"].startswith("pets")


def test_an_artifact_is_evaluated_on_a_folder(
    artifact: Artifact, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files are decoded at the artifact's own size: its test split answers as at its export."""
    place = ["--dataset", "folder", "--data-dir", str(root), "--json"]
    code = main(["evaluate", str(artifact.path), *place])

    streams = capsys.readouterr()

    accuracy = json.loads(streams.out)["accuracy"]
    assert 0 == code
    assert pytest.approx(artifact.manifest.evaluation.accuracy) == accuracy
    assert "skipped 1 file, unreadable:" in streams.err


def test_samples_of_a_folder_are_written(root: Path, tmp_path: Path) -> None:
    """To try a server with."""
    command = ["samples", *FLAGS, "--data-dir", str(root), "--count", "4"]
    main([*command, "--output", str(tmp_path)])

    assert 4 == len([*tmp_path.glob("000?-*.png")])


class Silent:
    """Progress that stops the training at an epoch's end, if asked to."""

    def __init__(self, interrupt_at: int = 0) -> None:
        self._interrupt_at = interrupt_at

    def begin(self, done: History, *, steps: int) -> None: ...

    def end_step(self) -> None: ...

    def end_epoch(self, epoch: Epoch) -> None:
        if epoch.number == self._interrupt_at:
            raise KeyboardInterrupt

    def say(self, text: str) -> None: ...

    def close(self) -> None: ...


def run(config: TrainingConfig, dataset: Dataset, progress: Silent) -> Fitted:
    with open_checkpoints(config, dataset) as checkpoints:
        return fit(
            config,
            dataset,
            checkpoints=checkpoints,
            progress=progress,
            interruption=Interruption(),
        )


def test_an_interrupted_training_goes_on_to_the_same_weights(root: Path, tmp_path: Path) -> None:
    """With the augmentation of photographs, and whether decoded pictures were kept or not."""
    form = PictureForm(height=64, width=64, color="gray")
    cached = load_dataset("folder", root, form=form, cache_bytes=10**9)
    bare = load_dataset("folder", root, form=form)
    settings = {"form": form, "network": "lenet5", "batch_size": 16}
    whole = run(config(tmp_path / "whole", root, **settings), cached, Silent())
    with pytest.raises(KeyboardInterrupt):
        run(config(tmp_path / "parts", root, **settings), cached, Silent(interrupt_at=2))

    parts = run(config(tmp_path / "parts", root, **settings), bare, Silent())

    pairs = zip(whole.classifier.get_weights(), parts.classifier.get_weights(), strict=True)
    assert [True] * 10 == [np.array_equal(one, other) for one, other in pairs]


def test_a_training_is_known_by_its_pictures(root: Path, tmp_path: Path) -> None:
    """Other content, size or colour is another training; another cache is not."""
    copy = write_classes(tmp_path / "pets", {"cat": 15, "dog": 15, "fox": 15})
    (copy / "fox" / "000.jpg").unlink()

    def told(place: Path, form: PictureForm = FORM, cache_mb: int = 0) -> str:
        dataset = load_dataset("folder", place, form=form, cache_bytes=cache_mb << 20)
        return fingerprint(config(tmp_path, place, form=form, cache_mb=cache_mb), dataset)

    first, same = told(root), told(copy, cache_mb=1)
    paint(77).save(copy / "dog" / "003.jpg")
    others = [
        told(copy),
        told(root, PictureForm(height=16, width=12)),
        told(root, PictureForm(height=12, width=16, color="gray")),
    ]

    assert first == same
    assert 4 == len({first, *others})
