"""Bringing up a version with the quickest engine that its graph allows."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from saccade_server.artifact import Artifact
from saccade_server.engines import Engine, load_engine
from saccade_server.errors import ArtifactError, EngineError
from saccade_server.loading.forms import FormStore, golden_of
from saccade_server.loading.golden import verify_golden
from saccade_server.loading.sizing import find_batch_size
from saccade_server.metrics import Metrics
from saccade_server.registry import LoadedVersion, Predictor

log = logging.getLogger(__name__)

MakePredictor = Callable[[str, int, Artifact, list[Engine], int], Predictor]
"""Puts a queue before engines: (model, version, artifact, engines, images of a batch at most)."""

OnBetter = Callable[[LoadedVersion], Awaitable[None]]
"""Gets a version that is already served, on a quicker engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadingConfig:
    """How versions are brought up.

    Attributes:
        engine: "auto", "litert" or "tensorflow".
        workers: Engines for each version, each with a thread of its own.
        threads: That one engine uses.
        max_batch_images: In one engine call; fewer where a graph is no quicker in batches.
        cache: Folder for compiled forms; see `FormStore`.
    """

    engine: str
    workers: int
    threads: int
    max_batch_images: int
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
        engines, batch_images = await asyncio.to_thread(self._engines, kind, artifact, form)
        log.info(
            "model %s version %d on %s, at most %d images a call",
            model, version, kind, batch_images,
        )  # fmt: skip
        return LoadedVersion(
            model=model,
            version=version,
            artifact=artifact,
            engine=kind,
            predictor=self._make_predictor(model, version, artifact, engines, batch_images),
        )

    def _engines(
        self, kind: str, artifact: Artifact, form: Path | None
    ) -> tuple[list[Engine], int]:
        """Engines that are right, and warm by that; and how many images to give them at once.

        One engine of TensorFlow serves many threads.
        """
        golden = golden_of(artifact, form)
        engines: list[Engine] = []
        try:
            for _ in range(self._config.workers if kind == "litert" else 1):
                engine = load_engine(artifact, kind, form=form, threads=self._config.threads)
                engines.append(engine)
                verify_golden(artifact, engine, golden)
            return engines, find_batch_size(engines[0], artifact, self._config.max_batch_images)
        except BaseException:
            for engine in engines:
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
