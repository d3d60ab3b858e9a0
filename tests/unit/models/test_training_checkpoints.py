import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixtures.processes import ONLY_SMALL_FILES
from saccade_models.config import TrainingConfig
from saccade_models.datasets import Dataset, Split
from saccade_models.errors import ModelsError
from saccade_models.training.checkpoints import (
    Checkpoint,
    Checkpoints,
    fingerprint,
    open_checkpoints,
)
from saccade_models.training.history import Epoch
from saccade_models.training.trainer import State

EPOCH = Epoch(
    number=1, loss=1.5, accuracy=0.5, val_loss=1.25, val_accuracy=0.625, learning_rate=1e-3,
    seconds=2.0,
)  # fmt: skip
STATE: State = {"weights": [np.arange(6.0).reshape(2, 3), np.array([7], np.float32)], "average": []}
CHECKPOINT = Checkpoint(history=(EPOCH,), state=STATE, best=[np.ones((2, 2))])


class Memory:
    """A trainer that only remembers its state."""

    state: State | None = None

    def write_state(self, state: State) -> None:
        self.state = state


class OtherShapes:
    """A trainer of another network."""

    def write_state(self, state: State) -> None:
        raise ValueError("weights: other shapes")


def config(**settings: Any) -> TrainingConfig:
    return TrainingConfig(**{"output": Path("unused"), "name": "digits", **settings})


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    """History, best weights and the trainer's state, to the last bit and with their types."""
    Checkpoints(tmp_path).save(CHECKPOINT)
    trainer = Memory()

    loaded = Checkpoints(tmp_path).load(trainer)

    assert loaded is not None
    assert trainer.state is not None
    assert ((EPOCH,), np.dtype("float32")) == (loaded.history, trainer.state["weights"][1].dtype)
    assert all(map(np.array_equal, STATE["weights"], trainer.state["weights"]))
    assert all(map(np.array_equal, CHECKPOINT.best, loaded.best))


def test_without_a_checkpoint_there_is_nothing_to_load(tmp_path: Path) -> None:
    """The trainer stays as it is."""
    trainer = Memory()

    assert (None, None) == (Checkpoints(tmp_path).load(trainer), trainer.state)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half a file", b"no archive"])
def test_a_damaged_checkpoint_is_no_checkpoint(tmp_path: Path, content: bytes) -> None:
    """The text names the file and the way out; nothing is trained over it unasked."""
    (tmp_path / "checkpoint.npz").write_bytes(content)

    with pytest.raises(ModelsError) as caught:
        Checkpoints(tmp_path).load(Memory())

    told = str(caught.value)
    assert told.startswith(f"{tmp_path}/checkpoint.npz is damaged (")
    assert told.endswith("): --restart begins anew")


def test_a_checkpoint_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    """The network's code has changed under the same version, say."""
    Checkpoints(tmp_path).save(CHECKPOINT)

    with pytest.raises(ModelsError, match="weights: other shapes"):
        Checkpoints(tmp_path).load(OtherShapes())


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    """The new one is written beside it: the failure is one line, and half a file goes again."""
    Checkpoints(tmp_path).save(CHECKPOINT)
    before = (tmp_path / "checkpoint.npz").read_bytes()
    code = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from saccade_models.errors import ModelsError\n"
        "from saccade_models.training.checkpoints import Checkpoint, Checkpoints\n"
        "large = Checkpoint(history=(), state={'weights': [np.ones(10**6)]}, best=[])\n"
        "try:\n"
        "    Checkpoints(Path(sys.argv[1])).save(large)\n"
        "except ModelsError as error:\n"
        "    print(error)\n"
    )

    done = subprocess.run(
        [*ONLY_SMALL_FILES, sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
    )

    assert f"cannot write to {tmp_path}: File too large\n" == done.stdout, done.stderr
    assert before == (tmp_path / "checkpoint.npz").read_bytes()
    assert ["checkpoint.npz"] == os.listdir(tmp_path)


def test_a_place_without_a_checkpoint_goes_again(few_digits: Dataset, tmp_path: Path) -> None:
    """Nothing was finished, so nothing is left."""
    with open_checkpoints(config(output=tmp_path), few_digits):
        pass

    assert [] == os.listdir(tmp_path / "digits")


def test_a_checkpoint_lies_beside_the_versions_or_where_it_was_told_to(
    few_digits: Dataset, tmp_path: Path
) -> None:
    """In a hidden folder, which no server takes for a version."""
    with open_checkpoints(config(output=tmp_path), few_digits) as beside:
        pass
    with open_checkpoints(config(checkpoint_dir=tmp_path / "kept"), few_digits) as told:
        pass

    assert (tmp_path / "digits", tmp_path / "kept") == (beside.folder.parent, told.folder.parent)
    assert beside.folder.name.startswith(".")


def test_two_trainings_do_not_share_a_checkpoint(few_digits: Dataset, tmp_path: Path) -> None:
    """The second one is refused while the first one is at it."""
    settings = config(output=tmp_path)
    with (
        open_checkpoints(settings, few_digits),
        pytest.raises(ModelsError, match="another process is at this training"),
        open_checkpoints(settings, few_digits),
    ):
        pass


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 2}, {"epochs": 26}, {"optimizer": "sgd"}, {"learning_rate": 1e-3}, {"ema": 0.9},
        {"augmentation": "none"}, {"batch_size": 32}, {"patience": 1}, {"label_smoothing": 0.1},
        {"precision": "bfloat16"},
        {"weight_decay": 0.1}, {"warmup_epochs": 1.0}, {"schedule": "linear"}, {"momentum": 0.5},
        {"class_weights": "balanced"}, {"loss": "mse"},
    ],
    ids=str,
)  # fmt: skip
def test_a_checkpoint_is_of_one_configuration(few_digits: Dataset, other: dict[str, Any]) -> None:
    """Whatever shapes the weights shapes the place."""
    assert fingerprint(config(), few_digits) != fingerprint(config(**other), few_digits)


def test_a_checkpoint_is_of_one_data_set(few_digits: Dataset) -> None:
    """A pixel more or less is another one."""
    train = few_digits.train
    images = train.images[:].copy()
    images[0, 0, 0, 0] ^= 1
    changed = Dataset(
        name=few_digits.name,
        class_labels=few_digits.class_labels,
        train=Split(images=images, labels=train.labels),
        validation=few_digits.validation,
        test=few_digits.test,
    )

    assert fingerprint(config(), few_digits) != fingerprint(config(), changed)


@pytest.mark.parametrize(
    "other", [{"output": Path("elsewhere")}, {"quantize": "int8"}, {"force": True}], ids=str
)
def test_what_comes_after_the_training_is_no_part_of_it(
    few_digits: Dataset, other: dict[str, Any]
) -> None:
    """A version that was refused for its quantised form can be had without training again."""
    assert fingerprint(config(), few_digits) == fingerprint(config(**other), few_digits)
