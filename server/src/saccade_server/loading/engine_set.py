"""The engines of a version: checked, warm, and as many as its graph gains by."""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from saccade_server.artifact import Artifact
from saccade_server.engines import Engine, load_engine
from saccade_server.loading.forms import golden_of
from saccade_server.loading.golden import verify_golden
from saccade_server.loading.late_engine import LateEngine, Later, SharedEngine
from saccade_server.loading.sizing import Sizing, find_sizing, warm_up

MOST_BESIDE = 4
"""Engines that run side by side, at most: each holds the graph's weights once more."""

FEW_PROCESSORS = 2
"""On which the event loop and an engine's call take turns, however they are arranged."""

MNN_ALONE = 2
"""Processors on which one batch at a time is best run by MNN, unless `WaitingLine.crowded`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSet:
    """The engines of a version.

    Attributes:
        engines: Run batches side by side; at least one.
        wide: Runs a batch by itself on all processors; None: there is none.
        sizing: How the graph is best run.
        few: Whether processors are few; see `BatchingConfig`.
        gather: Whether one call takes all of them, too.
    """

    engines: list[Engine]
    wide: Engine | None
    sizing: Sizing
    few: bool
    gather: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """How many engines there are to be.

    Attributes:
        workers: Engines side by side; 0: what the graph gains by.
        threads: That one engine uses, or all together where `workers` is 0.
        max_batch_images: In one engine call; fewer where a graph is no quicker in batches.
        spare: Whether the process has more processors than these threads.
    """

    workers: int
    threads: int
    max_batch_images: int
    spare: bool = False


def make_engines(
    artifact: Artifact,
    kind: str,
    form: Path | None,
    config: EngineConfig,
    *,
    known: Sizing | None,
    sizes: list[int],
    later: Later | None,
) -> EngineSet:
    """Engines that have reproduced the golden samples, and are warm.

    One engine of TensorFlow serves many threads. Where others need the processors meanwhile, those
    that run batches side by side are loaded when there are such batches.

    Args:
        artifact: Whose graph they run.
        kind: One of `engines.KINDS`.
        form: The compiled file, for all but "tensorflow".
        config: How many.
        known: What a trial elsewhere has found, which has checked the samples too.
        sizes: Of batches in use.
        later: Makes engines later; None: nobody needs the processors now.

    Raises:
        ArtifactError: An engine gives other answers than the manifest expects.
        EngineError: The graph does not load or run.
    """
    maker = _Maker(artifact, kind, form, config.max_batch_images, sizes, gently=later is not None)
    trusted = known is not None
    threads = 1 if kind == "mnn" else config.threads
    few = config.threads <= FEW_PROCESSORS and config.workers <= 1 and not config.spare
    gather = few and threads == config.threads
    try:
        first, sizing = maker.make(config.threads, known, trusted=trusted)
        beside = min(config.threads, MOST_BESIDE)
        if kind != "tensorflow" and not config.workers and sizing.heavy and beside > 1:
            make = partial(maker.make, config.threads // beside, sizing)
            # MNN uses one thread: of two processors the event loop needs the other one, but of more
            # a batch by itself would leave most idle.
            has_wide = kind != "mnn" or config.threads == MNN_ALONE
            more = beside if has_wide else beside - 1
            if later is None:
                engines: list[Engine] = [make(trusted=trusted)[0] for _ in range(more)]
            else:
                first = shared = SharedEngine(first)
                # By then the files may be others.
                engines = [
                    LateEngine(lambda: make(trusted=False)[0], later, shared) for _ in range(more)
                ]
            return EngineSet(
                engines=engines if has_wide else [first, *engines],
                wide=first if has_wide else None,
                sizing=sizing,
                few=few,
                gather=gather,
            )
        count = config.workers if kind != "tensorflow" else 1
        others = [maker.make(config.threads, sizing, trusted=trusted)[0] for _ in range(1, count)]
        return EngineSet(engines=[first, *others], wide=None, sizing=sizing, few=few, gather=gather)
    except BaseException:
        maker.close()
        raise


class _Maker:
    """Makes one engine after the other; see `make_engines`."""

    def __init__(
        self,
        artifact: Artifact,
        kind: str,
        form: Path | None,
        max_batch_images: int,
        sizes: list[int],
        *,
        gently: bool,
    ) -> None:
        self._artifact = artifact
        self._kind = kind
        self._form = form
        self._golden = golden_of(artifact, form)
        self._max_batch_images = max_batch_images
        self._sizes = sizes
        self._sleep = time.sleep if gently else None
        self._made: list[Engine] = []

    def make(self, threads: int, sizing: Sizing | None, *, trusted: bool) -> tuple[Engine, Sizing]:
        """One that is right, and warm; and how the graph is best run.

        Args:
            threads: That it uses.
            sizing: What is known of that already.
            trusted: Whether the golden samples were checked elsewhere.
        """
        artifact = self._artifact
        engine = load_engine(artifact, self._kind, form=self._form, threads=threads)
        self._made.append(engine)
        if not trusted:
            verify_golden(artifact, engine, self._golden)
        sizing = sizing or find_sizing(engine, artifact, self._max_batch_images)
        in_use = sorted({1, *(min(size, sizing.batch_images) for size in self._sizes)})
        warm_up(engine, artifact, in_use, sleep=self._sleep)
        return engine, sizing

    def close(self) -> None:
        """Frees all of them."""
        for engine in self._made:
            engine.close()
