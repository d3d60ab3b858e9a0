import dataclasses
import re
from pathlib import Path

from saccade_models.config import TrainingConfig
from saccade_models.networks import NetworkOptions
from saccade_models.provenance import command_line, describe_training


def config(output: Path) -> TrainingConfig:
    return TrainingConfig(
        output=output, name="digits", seed=5, epochs=3, options=NetworkOptions(pooling="mean")
    )


def test_the_command_has_every_setting() -> None:
    """Defaults are spelled out: they may be others tomorrow."""
    made = describe_training(config(Path("models/repository")), weights=7)

    assert (
        "saccade-models train --network cnn --dataset digits --output models/repository "
        "--name digits --epochs 3 --batch-size 64 --optimizer adam --momentum 0.9 "
        "--learning-rate 0.002 --schedule cosine --warmup-epochs 0.0 --weight-decay 0.0 "
        "--loss cross-entropy --label-smoothing 0.0 --class-weights none --augmentation writing "
        "--ema 0.0 --patience 0 --precision float32 --pooling mean --quantize none --seed 5"
    ) == made.command


def test_the_command_tells_the_data_sets_folder() -> None:
    """A relative one as it was given."""
    given = dataclasses.replace(
        config(Path("repository")), dataset="mnist", data_dir=Path("data/sets")
    )

    assert "--dataset mnist --data-dir data/sets --output" in " ".join(command_line(given))


def test_the_command_tells_no_absolute_path(tmp_path: Path) -> None:
    """Where the repository is on this machine is nobody's business."""
    command = command_line(config(tmp_path / "repository"))

    assert [] == [part for part in command if "/" in part]


def test_the_versions_of_what_made_it_are_told() -> None:
    """Without them the same figures can't be had again."""
    versions = describe_training(config(Path("repository")), weights=7).versions

    assert {
        "keras", "numpy", "pillow", "python", "saccade-models", "scikit-learn", "tensorflow"
    } == set(versions)  # fmt: skip
    assert all(re.match(r"\d+\.\d+", version) for version in versions.values())


def test_the_time_is_utc() -> None:
    """RFC 3339, as the manifest wants it."""
    created = describe_training(config(Path("repository")), weights=7).created_at

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", created)
