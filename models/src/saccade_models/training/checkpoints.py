"""Keeps the state of a training after each epoch, so that it can go on where it stopped.

A checkpoint is one file, written beside the last one and renamed over it: after a kill at any
moment there is a whole one. It lies in a hidden folder that is named after everything that shapes
the weights, so that another configuration never meets it.
"""

import fcntl
import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from saccade_models.config import TrainingConfig
from saccade_models.datasets import Dataset
from saccade_models.errors import ModelsError
from saccade_models.provenance import installed_versions, parameters
from saccade_models.training.history import Epoch, History
from saccade_models.training.trainer import Arrays, State

PREFIX = ".training-"
FILE = "checkpoint.npz"
LOCK = "lock"
AFTERWARDS = ("quantize",)
"""Settings that leave the weights as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A training after some epochs.

    Attributes:
        history: The epochs done.
        state: Of the trainer.
        best: The classifier's weights after the best epoch; empty where they are not kept.
    """

    history: History
    state: State
    best: Arrays


class Stateful(Protocol):
    """A trainer, as far as its state goes."""

    def write_state(self, state: State) -> None:
        """Goes back to a state; ValueError if it is another network's."""


class Checkpoints:
    """The place of one training's checkpoint; nobody else writes there meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.epochs = 0
        """Done in the last checkpoint that was read or written."""

    @property
    def key(self) -> str:
        """Stands for everything that shapes the weights; 16 hexadecimal digits."""
        return self.folder.name.removeprefix(PREFIX)

    def load(self, trainer: Stateful) -> Checkpoint | None:
        """The last one, with the trainer put into its state; None where there is none.

        Raises:
            ModelsError: It is damaged.
        """
        path = self.folder / FILE
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                record = json.loads(str(arrays["record"]))
                lists = {
                    kind: [arrays[f"{kind}/{index}"] for index in range(count)]
                    for kind, count in record["counts"].items()
                }
            history = tuple(Epoch(**epoch) for epoch in record["history"])
            checkpoint = Checkpoint(history=history, best=lists.pop("best"), state=lists)
            trainer.write_state(checkpoint.state)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ModelsError(f"{path} is damaged ({error}): --restart begins anew") from error
        self.epochs = len(history)
        return checkpoint

    def save(self, checkpoint: Checkpoint) -> None:
        """Puts a checkpoint into the last one's place.

        Raises:
            ModelsError: It can't be written; the last one stays.
        """
        lists = {**checkpoint.state, "best": checkpoint.best}
        counts = {kind: len(values) for kind, values in lists.items()}
        history = [asdict(epoch) for epoch in checkpoint.history]
        arrays: dict[str, Any] = {
            f"{kind}/{index}": value
            for kind, values in lists.items()
            for index, value in enumerate(values)
        }
        arrays["record"] = np.array(json.dumps({"counts": counts, "history": history}))
        writing = self.folder / f"{FILE}.writing"
        try:
            with writing.open("wb") as file:
                np.savez(file, allow_pickle=False, **arrays)
                file.flush()
                os.fsync(file.fileno())
            writing.replace(self.folder / FILE)
            self.epochs = len(checkpoint.history)
        except OSError as error:
            writing.unlink(missing_ok=True)
            raise ModelsError(
                f"cannot write to {self.folder}: {error.strerror or error}"
            ) from error

    def forget(self) -> None:
        """Removes the checkpoint; the training begins anew or is done."""
        (self.folder / FILE).unlink(missing_ok=True)

    def others(self) -> list[Path]:
        """Folders beside this one with checkpoints of other configurations."""
        found = self.folder.parent.glob(f"{PREFIX}*/{FILE}")
        return sorted(path.parent for path in found if path.parent != self.folder)


@contextmanager
def open_checkpoints(config: TrainingConfig, dataset: Dataset) -> Iterator[Checkpoints]:
    """The place for a configuration's checkpoint; its folder goes at the end if it holds none.

    Raises:
        ModelsError: The folder can't be written, or another process is at the same training.
    """
    parent = config.checkpoint_dir or config.output / config.name
    folder = parent / f"{PREFIX}{fingerprint(config, dataset)[:16]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK).open("w")
    except OSError as error:
        raise ModelsError(f"cannot write to {parent}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ModelsError(f"another process is at this training ({folder})") from error
        try:
            yield Checkpoints(folder)
        finally:
            if not (folder / FILE).exists():
                shutil.rmtree(folder, ignore_errors=True)


def fingerprint(config: TrainingConfig, dataset: Dataset) -> str:
    """64 hexadecimal digits for everything that shapes the weights: settings, data, software."""
    settings = parameters(config)
    for name in AFTERWARDS:
        del settings[name]
    told = {
        "network": config.network,
        "seed": config.seed,
        "settings": settings,
        "versions": installed_versions(),
        "shape": dataset.image_shape,
        "class_labels": dataset.class_labels,
    }
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    for split in (dataset.train, dataset.validation):
        digest.update(split.digest())
    return digest.hexdigest()
