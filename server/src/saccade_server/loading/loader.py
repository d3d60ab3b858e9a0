"""Bringing up a version with the quickest engine that its graph allows."""

import asyncio
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from saccade_server.artifact import Artifact
from saccade_server.engines import Engine, load_engine
from saccade_server.errors import ArtifactError, EngineError
from saccade_server.loading.forms import FormStore
from saccade_server.loading.golden import verify_golden
from saccade_server.metrics import Metrics
from saccade_server.registry import LoadedVersion, Predictor

log = logging.getLogger(__name__)

HEAVY_S = 0.003
"""From this cost of one image on, engines that share the processors gain more than they lose by
taking turns with the event loop. Measured on two processors: MobileNetV2-224 (6 to 12 ms an image)
gains 5 to 8 %, a network of 0.3 ms loses 15 %."""

TRIALS = 3


class Engines(NamedTuple):
    """What runs a version.

    Attributes:
        crew: Each in a thread of its own.
        soloist: For a lone request, on all processors; None where the crew is one that does that.
    """

    crew: list[Engine]
    soloist: Engine | None = None


MakePredictor = Callable[[str, int, Artifact, Engines], Predictor]
"""Puts a queue before engines: (model, version, artifact, engines)."""

OnBetter = Callable[[LoadedVersion], Awaitable[None]]
"""Gets a version that is already served, on a quicker engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadingConfig:
    """How versions are brought up.

    Attributes:
        engine: "auto", "litert" or "tensorflow".
        workers: Engines for each version; 0: chosen by what an image costs.
        threads: That one engine uses.
        cache: Folder for compiled forms; see `FormStore`.
    """

    engine: str
    workers: int
    threads: int
    cache: Path


class Loader:
    """Makes a `LoadedVersion` of an artifact. Its engines have reproduced the golden samples.

    With "auto", an artifact that has no compiled form is served by TensorFlow at once and compiled
    meanwhile.

    Args:
        config: How.
        make_predictor: Puts a queue before the engines.
        metrics: Where fallbacks are shown.
    """

    def __init__(
        self, config: LoadingConfig, make_predictor: MakePredictor, metrics: Metrics
    ) -> None:
        self._config = config
        self._make_predictor = make_predictor
        self._metrics = metrics
        self._store = FormStore(config.cache)
        self._compiling: set[asyncio.Task[None]] = set()

    async def load(
        self, model: str, version: int, artifact: Artifact, on_better: OnBetter
    ) -> LoadedVersion:
        """Brings up a version.

        Args:
            model: Its name.
            version: Its number.
            artifact: What to load.
            on_better: Called later, once, if a quicker engine has become ready.

        Raises:
            ArtifactError: The engine gives other answers than the manifest expects.
            EngineError: No engine can load the graph.
        """
        kind = self._config.engine
        if kind == "tensorflow":
            return await self._load_on("tensorflow", model, version, artifact, None)
        form = await asyncio.to_thread(self._store.find, artifact)
        reason = "not_compiled"
        if form is not None or kind == "litert":
            try:
                return await self._load_on("litert", model, version, artifact, form)
            except (ArtifactError, EngineError) as error:
                if kind == "litert":
                    raise
                log.warning(
                    "model %s version %d falls back to TensorFlow: %s", model, version, error
                )
                reason = "compiled_form_failed"
        loaded = await self._load_on("tensorflow", model, version, artifact, None)
        self._metrics.engine_fallback.labels(model, str(version), reason).set(1)
        if form is None:
            task = asyncio.create_task(self._compile(loaded, on_better))
            self._compiling.add(task)
            task.add_done_callback(self._compiling.discard)
        return loaded

    async def close(self) -> None:
        """Gives up what is being compiled."""
        for task in self._compiling:
            task.cancel()
        await asyncio.gather(*self._compiling, return_exceptions=True)

    async def _load_on(
        self, kind: str, model: str, version: int, artifact: Artifact, form: Path | None
    ) -> LoadedVersion:
        engines = await asyncio.to_thread(self._engines, kind, artifact, form)
        return LoadedVersion(
            model=model,
            version=version,
            artifact=artifact,
            engine=kind,
            predictor=self._make_predictor(model, version, artifact, engines),
        )

    def _engines(self, kind: str, artifact: Artifact, form: Path | None) -> Engines:
        """Engines that are right, and warm by that. One of TensorFlow serves many threads."""
        made: list[Engine] = []

        def make(threads: int) -> Engine:
            engine = load_engine(artifact, kind, form=form, threads=threads)
            made.append(engine)
            verify_golden(artifact, engine)
            return engine

        threads, workers = self._config.threads, self._config.workers
        try:
            first = make(threads)
            if kind == "tensorflow":
                return Engines([first])
            if not workers and threads > 1 and _cost_s(first, artifact) >= HEAVY_S:
                return Engines([make(1) for _ in range(threads)], soloist=first)
            return Engines([first, *(make(threads) for _ in range(1, workers))])
        except BaseException:
            for engine in made:
                engine.close()
            raise

    async def _compile(self, loaded: LoadedVersion, on_better: OnBetter) -> None:
        """Compiles in another process and hands over the version on the quicker engine."""
        model, version, artifact = loaded.model, loaded.version, loaded.artifact
        command = [sys.executable, "-m", "saccade_server.loading", str(artifact.path)]
        process = await asyncio.create_subprocess_exec(
            *command, "--cache", str(self._config.cache),
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            _, stderr = await process.communicate()
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
        if loaded.users.dismissed:  # Unloaded meanwhile; the form is there for the next time.
            return
        fallback = self._metrics.engine_fallback
        if process.returncode:
            said = stderr.decode(errors="replace").strip().rpartition("\n")[2]
            why = said or f"the compiler ended with code {process.returncode}"
            log.warning("model %s version %d stays on TensorFlow: %s", model, version, why)
            fallback.remove(model, str(version), "not_compiled")
            fallback.labels(model, str(version), "cannot_compile").set(1)
            return
        form = await asyncio.to_thread(self._store.find, artifact)
        try:
            better = await self._load_on("litert", model, version, artifact, form)
        except (ArtifactError, EngineError) as error:
            log.warning("model %s version %d stays on TensorFlow: %s", model, version, error)
            return
        fallback.remove(model, str(version), "not_compiled")
        await on_better(better)


def _cost_s(engine: Engine, artifact: Artifact) -> float:
    """Seconds of a call of one image, the best of a few."""
    image = np.zeros((1, *artifact.input.shape), artifact.input.dtype)
    seconds = []
    for _ in range(TRIALS):
        started = time.perf_counter()
        engine.predict(image)
        seconds.append(time.perf_counter() - started)
    return min(seconds)
