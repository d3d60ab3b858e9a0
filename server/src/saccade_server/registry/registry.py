"""The models that are served.

Owns which models and versions there are and the rule by which a request finds its version. How a
version is brought up is handed in (`Loader`): the registry opens no graph and starts no thread.

Everything runs in the event loop's thread; loading and reading folders happen beside it.
"""

import asyncio
import logging
import time
from collections.abc import (
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Iterable,
    Mapping,
    Sequence,
)
from pathlib import Path

from saccade_server.errors import ConfigError, NotFound
from saccade_server.metrics import Metrics
from saccade_server.registry.lifecycle import Lifecycle, Load
from saccade_server.registry.model_config import Latest, ModelConfig, VersionPolicy, by_name
from saccade_server.registry.opening import Describe, Opener
from saccade_server.registry.probation import Probation
from saccade_server.registry.refresh import Refresher
from saccade_server.registry.repository import scan_model, scan_repository
from saccade_server.registry.rollout import Rollout
from saccade_server.registry.routing import Router
from saccade_server.registry.source import Source
from saccade_server.registry.traffic import Traffic
from saccade_server.registry.version import LoadedVersion, State, Version

log = logging.getLogger(__name__)


class Registry:
    """Serves a set of models, changes the set, and finds the version that a request names.

    Changes are made one at a time; see `Rollout` for what one does.

    Args:
        root: The model repository: where models are that nothing else is said about.
        load: Brings up one version.
        metrics: Where states are shown.
        describe: For SavedModels without a manifest; None: they are refused.
        policy: Which versions are served of a model that nothing else is said about.
        settle_s: For how long nothing must change in a folder whose files have no checksums.
        probation_s: For how long a new version may turn out to be worse; 0: it is not watched.
        source: Brings versions that are elsewhere.
        clock: Monotonic seconds.
        sleep: Waits for seconds.
    """

    def __init__(
        self,
        root: Path,
        load: Load,
        metrics: Metrics,
        *,
        describe: Describe | None = None,
        policy: VersionPolicy = Latest(),  # noqa: B008 - a constant
        settle_s: float = 2.0,
        probation_s: float = 0.0,
        source: Source | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._root = root
        self._policy = policy
        self._source = source
        lifecycle = Lifecycle(Opener(describe, settle_s, source), load, metrics)
        self._rollout = Rollout(lifecycle, metrics)
        self._probation = Probation(self._rollout, metrics, probation_s, clock=clock, sleep=sleep)
        self._refresher = Refresher(self._rollout, self._probation)
        self._router = Router(self._rollout)
        # Whether the models are those of the repository, whichever they are at the time.
        self._whole = False
        # What is served, and beyond it what was unloaded and can be loaded again.
        self._known: dict[str, ModelConfig] = {}
        self._unloaded: set[str] = set()
        self._changes = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def models(self) -> Mapping[str, list[Version]]:
        """The versions of each model, newest first; those that come and go too."""
        return self._rollout.models

    @property
    def served(self) -> Collection[str]:
        """The models that are to answer: not those that are loaded first, or unloaded."""
        return self._rollout.served.keys()

    @property
    def ready(self) -> bool:
        """Whether there is a model and each one has a version that answers."""
        served = (self._rollout.models.get(name, []) for name in self._rollout.served)
        return bool(self._rollout.served) and all(any(v.ready for v in each) for each in served)

    async def open(self, models: Iterable[ModelConfig] | None = None) -> None:
        """Loads the first set of models, one version after the other.

        A version that cannot be loaded is logged and marked as failed; the others load.

        Args:
            models: None: every model of the repository.

        Raises:
            ConfigError: The repository is no folder, or two models have the same name.
        """
        self._whole = models is None
        models = None if models is None else list(models)
        try:
            await self._look_elsewhere(models or ())
        except OSError as error:
            log.error("what was brought here before is served: %s", error)
        if models is None:
            models = await asyncio.to_thread(self._whole_repository)
        configs = by_name(models)
        async with self._changes:
            self._known = dict(configs)
            await self._refresher.announce(configs.values())
            for config in configs.values():
                await self._refresher.refresh(config)

    async def refresh(self) -> None:
        """Looks at all folders: what is new is loaded, what has gone is served no longer.

        What cannot be loaded is shown as such and tried again when it changes; the model goes on
        with what it has. Models that callers have unloaded stay so.

        Raises:
            ConfigError: The repository is no folder; everything stays.
            OSError: It cannot be read; everything stays.
        """
        await self._carry_out(self._refresh())

    async def configure(self, models: Iterable[ModelConfig]) -> None:
        """Serves another set of models: all of it or, after an error, what was served before.

        Versions that are already served stay; models that are not named are unloaded. Returns when
        the new set answers; versions that leave may still be finishing their requests.

        Raises:
            ConfigError: Two models have the same name.
            NotFound: A model has no version in its folder.
            FailedPrecondition: A version cannot be loaded, or a label's version is not served.
        """
        await self._carry_out(self._configure(by_name(models)))

    async def load(self, model: str) -> None:
        """Serves a model of the repository, or looks for new versions of one that is served.

        Raises:
            NotFound: There is none, or it has no version.
            FailedPrecondition: A version cannot be loaded; what was served is served on.
        """
        await self._carry_out(self._load(model))

    async def unload(self, model: str) -> None:
        """Serves a model no longer; returns when its requests are finished and it is freed.

        Raises:
            NotFound: There is no such model.
        """
        await self._carry_out(self._unload(model))

    async def index(self) -> list[Version]:
        """All versions that there are, loaded or not: by model, newest first.

        Those of the repository and of models that are somewhere else.
        """
        known = {name: config.base_path for name, config in self._known.items()}
        versions = await asyncio.to_thread(_in_folders, self._root, known)
        for each in self._rollout.models.values():
            versions.update(((v.model, v.version), v) for v in each)
        return sorted(versions.values(), key=lambda each: (each.model, -each.version))

    async def close(self) -> None:
        """Gives up changes under way, finishes all requests and frees all versions."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._probation.close()
        await self._rollout.finish()

    def direct(self, traffic: Mapping[str, Traffic]) -> None:
        """Shares requests between versions from now on, by model; others have no such rules.

        Labels move at once to versions that are ready. A labelled version that is not served yet
        is loaded by the next look.
        """
        self._rollout.direct(traffic)

    def check_known(self) -> None:
        """Makes sure that a model which is not found does not exist.

        Raises:
            Unavailable: It is not known yet which models there are, or no longer.
        """
        self._router.check_known()

    def find(
        self, model: str, version: int = 0, label: str = "", *, key: str = ""
    ) -> LoadedVersion:
        """The version that answers a request.

        Args:
            model: Empty: the only one.
            version: 0: the default, unless a label is given.
            label: Movable name of a version.
            key: By which the default is chosen where traffic is split; empty: that of most keys.

        Raises:
            InvalidArgument: No model named and there are several.
            NotFound: No such model, version or label.
            Unavailable: It is not ready, or it is not known which models there are.
        """
        return self._router.find(model, version, label, key)

    def describe(self, model: str, version: int = 0, label: str = "") -> Version:
        """Like `find`, whatever the version's state."""
        return self._router.describe(model, version, label, "")

    def shadows(self, model: str) -> Sequence[tuple[LoadedVersion, float]]:
        """The versions that get copies of a model's requests, with their percentages."""
        return self._router.shadows(model)

    @property
    def idle(self) -> bool:
        """Whether no version has anything to do."""
        each = (v.loaded for versions in self._rollout.models.values() for v in versions)
        return all(loaded.predictor.idle for loaded in each if loaded)

    def default_version(self, model: str) -> int:
        """The version that answers most requests that name none; 0 while none is ready."""
        default = self._router.default(model)
        return default.version if default else 0

    async def _carry_out(self, change: Coroutine[None, None, None]) -> None:
        """Makes a change to its end, even if whoever asked for it goes away meanwhile."""
        task = asyncio.create_task(change)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.shield(task)

    async def _look_elsewhere(self, models: Iterable[ModelConfig]) -> None:
        """Has the source look for what is new, if there is one."""
        if self._source is not None:
            versions = [each for listed in self._rollout.models.values() for each in listed]
            await self._source.look(
                self._root,
                [each.base_path for each in models],
                [each.path for each in versions if each.loaded or each.state is State.LOADING],
            )

    async def _refresh(self) -> None:
        trouble: Exception | None = None
        try:
            await self._look_elsewhere(self._known.values())
        except (ConfigError, OSError) as error:
            trouble = error
        await self._refresh_from_folders()
        if trouble is not None:
            raise trouble

    async def _refresh_from_folders(self) -> None:
        async with self._changes:
            if self._whole:
                await self._discover()
            for name, config in list(self._known.items()):
                if name in self._unloaded:
                    continue
                try:
                    await self._refresher.refresh(config)
                except OSError as error:
                    log.warning("the folder of model %s cannot be read: %s", name, error)

    async def _discover(self) -> None:
        """Takes in models that are new in the repository and lets go of those that are gone."""
        found = {each.name: each for each in await asyncio.to_thread(self._whole_repository)}
        gone = {name for name in self._known if name not in found}
        for name in gone:
            del self._known[name]
            log.info("model %s is not in the repository any more", name)
        self._rollout.forget(gone)
        for name, config in found.items():
            self._known.setdefault(name, config)

    async def _configure(self, configs: dict[str, ModelConfig]) -> None:
        async with self._changes:
            await self._rollout.apply(configs, self._rollout.served.keys() - configs.keys())
            self._known = dict(configs)
            self._whole = False
            self._unloaded.clear()

    async def _load(self, model: str) -> None:
        try:
            await self._look_elsewhere(self._known.values())
        except (ConfigError, OSError) as error:
            log.error("model %s is loaded from what was brought here before: %s", model, error)
        async with self._changes:
            try:
                config = self._known.get(model) or self._config(model)
            except ConfigError as error:
                raise NotFound(str(error)) from None
            await self._rollout.apply({model: config}, set())
            self._known[model] = config
            self._unloaded.discard(model)

    async def _unload(self, model: str) -> None:
        async with self._changes:
            if model not in self._known:
                raise NotFound(f"no model {model!r} is loaded")
            await self._rollout.apply({}, self._rollout.served.keys() & {model})
            self._unloaded.add(model)
        await self._rollout.gone(model)

    def _config(self, model: str) -> ModelConfig:
        return ModelConfig(name=model, base_path=self._root / model, policy=self._policy)

    def _whole_repository(self) -> list[ModelConfig]:
        return [self._config(model) for model in scan_repository(self._root)]


def _in_folders(root: Path, known: Mapping[str, Path]) -> dict[tuple[str, int], Version]:
    """Every version that can be loaded, by model and number."""
    try:
        paths = {model: root / model for model in scan_repository(root)}
    except ConfigError:  # All models may be somewhere else.
        paths = {}
    paths.update(known)
    return {
        (model, number): Version(
            model=model, version=number, path=path / str(number), state=State.UNLOADED
        )
        for model, path in paths.items()
        for number in scan_model(path)
    }
