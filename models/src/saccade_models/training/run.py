"""Trains a network on a data set and writes the artifact."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from saccade_models.config import TrainingConfig
from saccade_models.datasets import Dataset, load_dataset
from saccade_models.errors import Interrupted, ModelsError
from saccade_models.evaluation import Figures
from saccade_models.export import Exported, export_artifact
from saccade_models.progress import Progress, build_progress
from saccade_models.quantization import QuantizedFigures
from saccade_models.repository import make_folder, publish_version, stage_version
from saccade_models.training.checkpoints import Checkpoints, open_checkpoints
from saccade_models.training.checks import check_trainable
from saccade_models.training.curves import Curves
from saccade_models.training.fitting import Fitted, fit
from saccade_models.training.history import Epoch, History


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingResult:
    """The version that was written, and how it came to be.

    Attributes:
        path: The version's folder.
        test: Figures on the test split.
        quantized: Those of the quantised form, if any.
        history: All epochs, also those of earlier runs that this one went on from.
        epoch: The one whose weights were exported.
        seconds: Of this run.
    """

    path: Path
    test: Figures
    quantized: QuantizedFigures | None
    history: History
    epoch: Epoch
    seconds: float

    @property
    def version(self) -> int:
        """The version's number."""
        return int(self.path.name)


def train(config: TrainingConfig) -> TrainingResult:
    """Trains, measures on the test split once, and publishes a new version.

    What was trained is kept until the version is published: whatever stops it, the same call goes
    on after the last epoch that was finished.

    Raises:
        ModelsError: The data set can't be trained on, the output can't be written, the training
            went astray, or quantising costs too much accuracy.
        Interrupted: Ctrl-C or SIGTERM.
    """
    started = time.monotonic()
    folder = config.output / config.name
    with make_folder(folder), closing(build_progress(config.epochs)) as progress:
        dataset = load_dataset(config.dataset)
        check_trainable(dataset, config.batch_size)
        with open_checkpoints(config, dataset) as checkpoints, _telling(config, checkpoints):
            fitted = _fit(config, dataset, checkpoints, progress)
            progress.close()
            path, exported = _export(folder, fitted, config, dataset)
            checkpoints.forget()
    return TrainingResult(
        path=path,
        test=exported.test,
        quantized=exported.quantized,
        history=fitted.history,
        epoch=fitted.epoch,
        seconds=time.monotonic() - started,
    )


def _fit(
    config: TrainingConfig, dataset: Dataset, checkpoints: Checkpoints, progress: Progress
) -> Fitted:
    if config.restart:
        checkpoints.forget()
    for other in checkpoints.others():
        progress.say(f"another configuration's training is kept in {other}: this one begins anew")
    with ExitStack() as stack:
        curves = None
        if config.tensorboard is not None:
            run = f"{config.name}{checkpoints.folder.name}"
            curves = stack.enter_context(closing(Curves(config.tensorboard / run)))
        return fit(config, dataset, checkpoints=checkpoints, progress=progress, curves=curves)


def _export(
    folder: Path, fitted: Fitted, config: TrainingConfig, dataset: Dataset
) -> tuple[Path, Exported]:
    with stage_version(folder) as staging:
        try:
            exported = export_artifact(staging, fitted.classifier, config, dataset)
        except OSError as error:
            raise ModelsError(f"cannot write to {folder}: {error.strerror or error}") from error
        return publish_version(staging), exported


@contextmanager
def _telling(config: TrainingConfig, checkpoints: Checkpoints) -> Iterator[None]:
    """Turns Ctrl-C into an error that says what is kept."""
    try:
        yield
    except KeyboardInterrupt as error:
        if checkpoints.epochs == 0:
            raise Interrupted(
                "interrupted before the first epoch was finished: nothing was written"
            ) from error
        raise Interrupted(
            f"interrupted after epoch {checkpoints.epochs} of {config.epochs}: the same command "
            f"goes on from there, --restart begins anew"
        ) from error
