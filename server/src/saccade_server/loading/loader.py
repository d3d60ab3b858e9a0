"""Bringing up a version with the quickest engine that its graph allows."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from saccade_server.artifact import Artifact, make_artifact
from saccade_server.cpus import step_back
from saccade_server.engines.mnn import has_mnn
from saccade_server.errors import ArtifactError, EngineError
from saccade_server.loading.attempts import Attempts
from saccade_server.loading.engine_set import EngineConfig, EngineSet, make_engines
from saccade_server.loading.forms import FormStore
from saccade_server.loading.process import Workshop
from saccade_server.loading.undescribed import parse_manifest
from saccade_server.metrics import Metrics
from saccade_server.registry import LoadedVersion, Predictor

log = logging.getLogger(__name__)

MakePredictor = Callable[[str, int, Artifact, EngineSet], Predictor]
"""Puts a queue before engines: (model, version, artifact, engines)."""

OnBetter = Callable[[LoadedVersion], Awaitable[None]]
"""Gets a version that is already served, on a quicker engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadingConfig:
    """How versions are brought up.

    Attributes:
        engine: "auto", or one of `engines.KINDS`.
        engines: How many each version gets.
        cache: Folder for compiled forms; see `FormStore`.
        niceness: By which what computes is behind the event loop; see `step_back`.
    """

    engine: str
    engines: EngineConfig
    cache: Path
    niceness: int = 0


class Loader:
    """Makes a `LoadedVersion` of an artifact. Its engines have reproduced the golden samples.

    With "auto", an artifact that has no compiled form is served by TensorFlow at once and compiled
    meanwhile; once there is traffic to protect, it is compiled first. Everything that takes long
    or might end a process is then done in another one.

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
        self._workshop = Workshop(
            config.cache,
            threads=config.engines.threads,
            max_batch_images=config.engines.max_batch_images,
        )
        self._attempts = Attempts(config.cache)
        # Always the same one: the C library keeps what a thread frees for the heap of that thread.
        # The threads that an engine starts have the niceness of the one that loads it.
        self._thread = ThreadPoolExecutor(
            1, "loading", initializer=step_back, initargs=(config.niceness,)
        )
        self._protecting = False
        self._compiling: set[asyncio.Task[None]] = set()

    def protect(self) -> None:
        """From now on something is served that must not suffer from what is loaded."""
        self._protecting = True

    async def describe(self, path: Path) -> Artifact:
        """What can be found out of a SavedModel without a manifest.

        Raises:
            EngineError: It is no classifier, or TensorFlow is not installed.
        """
        file = await self._workshop.describe(path)
        artifact = make_artifact(path, await asyncio.to_thread(parse_manifest, file))
        log.warning(
            "%s has no manifest. GUESSED: the graph takes %s of %d to %g, %s, and gives %s; "
            "its %d classes have no names. A wrong guess costs most of the accuracy and nothing "
            "else shows it: make an artifact of it with `saccade-models adopt`",
            path, artifact.input.dtype, 0, artifact.manifest.input.pixel_range.white,
            artifact.input.color_space.value, "logits" if artifact.output.logits else
            "probabilities", len(artifact.class_labels),
        )  # fmt: skip
        return artifact

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
        if kind in ("auto", "mnn"):
            quickest = await self._load_quickest(model, version, artifact)
            if quickest is not None:
                return quickest
        form = await asyncio.to_thread(self._store.find, artifact)
        reason = "not_compiled"
        if form is None and kind == "auto" and self._protecting:
            form = await self._compile_first(model, version, artifact)
            reason = "cannot_compile"
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
        if form is None and reason == "not_compiled":
            task = asyncio.create_task(self._compile(loaded, on_better))
            self._compiling.add(task)
            task.add_done_callback(self._compiling.discard)
        return loaded

    async def close(self) -> None:
        """Gives up what is being compiled."""
        for task in self._compiling:
            task.cancel()
        await asyncio.gather(*self._compiling, return_exceptions=True)
        self._thread.shutdown(wait=False)

    async def _load_quickest(
        self, model: str, version: int, artifact: Artifact
    ) -> LoadedVersion | None:
        """On MNN; None: LiteRT's form is to be taken.

        Raises:
            ArtifactError: See `load`; only where MNN is insisted on.
            EngineError: The same.
        """
        insisted = self._config.engine == "mnn"
        form = await asyncio.to_thread(self._store.find, artifact, "mnn")
        if form is None and not insisted:
            return None
        if not (has_mnn() or insisted):
            log.info("%s has a form for MNN, which is quicker and not installed", artifact.path)
            return None
        try:
            return await self._load_on("mnn", model, version, artifact, form)
        except (ArtifactError, EngineError) as error:
            if insisted:
                raise
            log.warning("model %s version %d is not run by MNN: %s", model, version, error)
            return None

    async def _load_on(
        self, kind: str, model: str, version: int, artifact: Artifact, form: Path | None
    ) -> LoadedVersion:
        known = None
        if form is not None and (self._protecting or self._was_fatal(form)):
            known = await self._workshop.try_out(artifact, kind, form)
            self._attempts.forgive(form)
        with self._attempts.note(form) if form is not None else nullcontext():
            make = partial(
                make_engines,
                artifact,
                kind,
                form,
                self._config.engines,
                known=known,
                sizes=self._metrics.batch_sizes(model),
                later=self._thread.submit if self._protecting else None,
            )
            engines = await asyncio.get_running_loop().run_in_executor(self._thread, make)
        log.info(
            "model %s version %d on %s, at most %d images a call, %d side by side",
            model, version, kind, engines.sizing.batch_images, len(engines.engines),
        )  # fmt: skip
        return LoadedVersion(
            model=model,
            version=version,
            artifact=artifact,
            engine=kind,
            predictor=self._make_predictor(model, version, artifact, engines),
        )

    def _was_fatal(self, form: Path) -> bool:
        fatal = self._attempts.was_fatal(form)
        if fatal:
            log.warning("a process ended while it opened %s: it is tried apart first", form)
        return fatal

    async def _compile_first(self, model: str, version: int, artifact: Artifact) -> Path | None:
        """Compiles before anything is loaded; None if the graph cannot be compiled."""
        try:
            await self._workshop.compile(artifact)
        except EngineError as error:
            log.warning("model %s version %d needs TensorFlow: %s", model, version, error)
            return None
        return await asyncio.to_thread(self._store.find, artifact)

    async def _compile(self, loaded: LoadedVersion, on_better: OnBetter) -> None:
        """Compiles in another process and hands over the version on the quicker engine."""
        model, version, artifact = loaded.model, loaded.version, loaded.artifact
        fallback = self._metrics.engine_fallback
        why = ""
        try:
            await self._workshop.compile(artifact)
        except EngineError as error:
            why = str(error)
        if loaded.users.dismissed:  # Unloaded meanwhile; the form is there for the next time.
            return
        if why:
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
