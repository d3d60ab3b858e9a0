"""Changing what is served while it is served.

Owns the versions of all models. A change loads what is new while the rest goes on answering, then
switches at one blow; if anything cannot be loaded, what was served is served on.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping

from saccade_server.errors import FailedPrecondition, NotFound
from saccade_server.metrics import Metrics
from saccade_server.registry.lifecycle import Lifecycle
from saccade_server.registry.model_config import ModelConfig
from saccade_server.registry.repository import scan_model
from saccade_server.registry.version import State, Version

log = logging.getLogger(__name__)


class Rollout:
    """The versions of all models and the way from one set to the next.

    Changes must be made one at a time; that is the registry's business.

    Args:
        lifecycle: Moves one version.
        metrics: Where a model that is gone is forgotten.

    Attributes:
        models: The versions of each model, newest first; those that come and go too.
        served: The models that are to answer: not those that are loaded first, or unloaded.
    """

    def __init__(self, lifecycle: Lifecycle, metrics: Metrics) -> None:
        self.models: dict[str, list[Version]] = {}
        self.served: dict[str, ModelConfig] = {}
        self._lifecycle = lifecycle
        self._metrics = metrics
        self._retiring: dict[Version, asyncio.Task[None]] = {}

    async def begin(self, configs: Mapping[str, ModelConfig]) -> None:
        """Loads the first set, one version after the other; those that fail are left behind."""
        for name, config in configs.items():
            self.models[name] = [_version(config, each) for each in await _choose(config)]
        self.served.update(configs)
        for name, config in configs.items():
            for version in self.models[name]:
                if await self._lifecycle.bring_up(version):
                    self._lifecycle.go_live(version)
            self._set_labels(config)

    async def finish(self) -> None:
        """Lets go of everything."""
        for version in [each for versions in self.models.values() for each in versions]:
            self._retire(version)
        await self.gone(*self.models)

    async def gone(self, *models: str) -> None:
        """Waits for all versions of these models that are leaving."""
        leaving = [task for version, task in self._retiring.items() if version.model in models]
        await asyncio.gather(*leaving)

    async def apply(self, configs: Mapping[str, ModelConfig], gone: Collection[str]) -> None:
        """Serves `configs` besides what is served, and no longer what is `gone`.

        Returns when the change is visible; versions that leave may still finish their requests.

        Raises:
            NotFound: A model has no version in its folder.
            FailedPrecondition: A version cannot be loaded, or a label's version is not served.
        """
        wanted = {name: await self._wanted(config) for name, config in configs.items()}
        fresh = [
            _version(config, number)
            for name, config in configs.items()
            for number in wanted[name]
            if not any(v.ready and v.version == number for v in self.models.get(name, []))
        ]
        await self._prepare(fresh)
        # Nothing from here on waits or fails: no request sees half of the change.
        self.served.update(configs)
        for name in gone:
            del self.served[name]
        for version in fresh:
            self._lifecycle.go_live(version)
        for name, versions in self.models.items():
            for version in versions:
                if name in gone or (name in wanted and version.version not in wanted[name]):
                    self._retire(version)
        for config in configs.values():
            self._set_labels(config)

    async def _wanted(self, config: ModelConfig) -> list[int]:
        """The versions to serve of a model, after a look whether that can be."""
        wanted = await _choose(config)
        if not wanted:
            raise NotFound(f"there is no version of {config.name!r} in {config.base_path}")
        for label, number in config.labels.items():
            if number not in wanted:
                raise FailedPrecondition(
                    f"the label {label!r} cannot go to version {number} of {config.name!r}: "
                    f"served are {', '.join(map(str, wanted))}"
                )
        for version in self.models.get(config.name, []):
            if version.version not in wanted:
                continue
            if version.ready and version.path != config.base_path / str(version.version):
                raise FailedPrecondition(
                    f"version {version.version} of {config.name!r} is served from another folder: "
                    "unload the model first"
                )
        return wanted

    async def _prepare(self, fresh: list[Version]) -> None:
        """Loads versions, all or none."""
        try:
            for version in fresh:
                await self._insert(version)
            for version in fresh:
                if not await self._lifecycle.bring_up(version):
                    raise FailedPrecondition(
                        f"version {version.version} of {version.model!r} failed to load: "
                        f"{version.reason}"
                    )
        except BaseException:
            for version in filter(self._lists, fresh):
                # What failed of a model that is served stays on show, with its reason.
                if version.state is not State.FAILED or version.model not in self.served:
                    self._retire(version)
            raise

    async def _insert(self, version: Version) -> None:
        """Lists a version, in the place of one of the same number that failed or is leaving."""
        for old in list(self.models.get(version.model, [])):
            if old.version == version.version:
                self._retire(old)
                await self._retiring[old]
        versions = self.models.setdefault(version.model, [])
        versions.append(version)
        versions.sort(key=lambda each: -each.version)

    def _lists(self, version: Version) -> bool:
        return version in self.models.get(version.model, [])

    def _retire(self, version: Version) -> None:
        """Lets a version finish its requests and then go, beside everything else."""
        if version not in self._retiring:
            self._lifecycle.begin_unloading(version)
            self._retiring[version] = asyncio.create_task(self._let_go(version))

    async def _let_go(self, version: Version) -> None:
        await self._lifecycle.unload(version)
        versions = self.models[version.model]
        versions.remove(version)
        if not versions and version.model not in self.served:
            del self.models[version.model]
            self._metrics.forget_model(version.model)
        del self._retiring[version]

    def _set_labels(self, config: ModelConfig) -> None:
        """Moves a model's labels to the versions that are ready."""
        for version in self.models[config.name]:
            mine = [label for label, number in config.labels.items() if number == version.version]
            version.labels = tuple(sorted(mine)) if version.ready else ()
        set_now = {label for version in self.models[config.name] for label in version.labels}
        for label in sorted(config.labels.keys() - set_now):
            log.error("model %s: the version labelled %r is not ready", config.name, label)


async def _choose(config: ModelConfig) -> list[int]:
    return config.policy.choose(await asyncio.to_thread(scan_model, config.base_path))


def _version(config: ModelConfig, number: int) -> Version:
    return Version(model=config.name, version=number, path=config.base_path / str(number))
