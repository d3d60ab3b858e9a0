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
from saccade_models.training.interruption import Interruption, watch_signals


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingResult:
    """The version that was written, and how it came to be.

    Attributes:
        path: The version's folder.
        test: Figures on the test split.
        quantized: Those of the quantised form, if any.
        uncompiled: Why TensorFlow alone runs it; empty where LiteRT does.
        history: All epochs, also those of earlier runs that this one went on from.
        epoch: The one whose weights were exported.
        seconds: Of this run.
    """

    path: Path
    test: Figures
    quantized: QuantizedFigures | None
    uncompiled: str
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
        dataset = load_dataset(
            config.dataset,
            config.data_dir,
            form=config.form,
            tell=progress.say,
            cache_bytes=config.cache_mb << 20,
        )
        check_trainable(dataset, config.batch_size)
        with (
            open_checkpoints(config, dataset) as checkpoints,
            _interruptible(config, checkpoints) as interruption,
        ):
            fitted = _fit(config, dataset, checkpoints, progress, interruption)
            progress.close()
            path, exported = _export(folder, fitted, config, dataset, interruption)
            checkpoints.forget()
    return TrainingResult(
        path=path,
        test=exported.test,
        quantized=exported.quantized,
        uncompiled=exported.uncompiled,
        history=fitted.history,
        epoch=fitted.epoch,
        seconds=time.monotonic() - started,
    )


def _fit(
    config: TrainingConfig,
    dataset: Dataset,
    checkpoints: Checkpoints,
    progress: Progress,
    interruption: Interruption,
) -> Fitted:
    with ExitStack() as stack:
        curves = None
        if config.tensorboard is not None:
            run = f"{config.name}-{checkpoints.key}"
            curves = stack.enter_context(closing(Curves(config.tensorboard / run)))
        return fit(
            config,
            dataset,
            checkpoints=checkpoints,
            progress=progress,
            interruption=interruption,
            curves=curves,
        )


def _export(
    folder: Path,
    fitted: Fitted,
    config: TrainingConfig,
    dataset: Dataset,
    interruption: Interruption,
) -> tuple[Path, Exported]:
    with stage_version(folder) as staging:
        try:
            exported = export_artifact(
                staging,
                fitted.classifier,
                config,
                dataset,
                history=fitted.history,
                exported_epoch=fitted.epoch.number,
            )
        except OSError as error:
            raise ModelsError(
                f"cannot write to {folder}: {error.strerror or error}; the training is kept: the "
                "same command exports it"
            ) from error
        interruption.check()
        return publish_version(staging), exported


@contextmanager
def _interruptible(config: TrainingConfig, checkpoints: Checkpoints) -> Iterator[Interruption]:
    """Turns Ctrl-C and SIGTERM into an error that says what is kept."""
    with watch_signals() as interruption:
        try:
            yield interruption
        # Whatever it was taken for where it hit.
        except (Exception, KeyboardInterrupt) as error:
            if not interruption.requested:
                raise
            raise Interrupted(_kept(config, checkpoints)) from error


def _kept(config: TrainingConfig, checkpoints: Checkpoints) -> str:
    if checkpoints.epochs == 0:
        return "interrupted before the first epoch was finished: nothing was written"
    return (
        f"interrupted after epoch {checkpoints.epochs} of {config.epochs}: the same command goes "
        f"on from there, --restart begins anew"
    )
