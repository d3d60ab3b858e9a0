"""Changing what is served while it is served.

Owns the versions of all models. A change loads what is new while the rest goes on answering, then
switches at one blow; if anything cannot be loaded, what was served is served on.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence

from saccade_server.errors import FailedPrecondition, NotFound
from saccade_server.metrics import Metrics
from saccade_server.registry.lifecycle import Lifecycle
from saccade_server.registry.model_config import ModelConfig
from saccade_server.registry.repository import scan_model
from saccade_server.registry.traffic import Traffic
from saccade_server.registry.version import Version

log = logging.getLogger(__name__)

_ORDINARY = Traffic()


class Rollout:
    """The versions of all models and the way from one set to the next.

    Changes must be made one at a time; that is the registry's business.

    Args:
        lifecycle: Moves one version.
        metrics: Where a model that is gone is forgotten.

    Attributes:
        models: The versions of each model, newest first; those that come and go too.
        served: The models that are to answer: not those that are loaded first, or unloaded.
        known: Whether it is known which models there are: not before the first look at them, nor
            when all have left at the end.
        lifecycle: Moves one version.
    """

    def __init__(self, lifecycle: Lifecycle, metrics: Metrics) -> None:
        self.models: dict[str, list[Version]] = {}
        self.served: dict[str, ModelConfig] = {}
        self.known = False
        self.lifecycle = lifecycle
        self._metrics = metrics
        self._retiring: dict[Version, asyncio.Task[None]] = {}
        self._rejected: dict[tuple[str, int], Version] = {}
        self._unset: dict[str, set[str]] = {}
        self._traffic: Mapping[str, Traffic] = {}

    def traffic_of(self, model: str) -> Traffic:
        """What is said of a model's traffic."""
        return self._traffic.get(model, _ORDINARY)

    def direct(self, traffic: Mapping[str, Traffic]) -> None:
        """Replaces what is said, of all models, and moves labels."""
        self._traffic = traffic
        for config in self.served.values():
            self.set_labels(config)

    def choose(self, config: ModelConfig, numbers: Sequence[int]) -> list[int]:
        """The versions to serve of those that there are, newest first."""
        labelled = self.traffic_of(config.name).labels.values()
        pinned = [number for number in labelled if number in numbers]
        return sorted({*config.policy.choose(numbers), *pinned}, reverse=True)

    async def finish(self) -> None:
        """Lets go of everything."""
        self.known = False
        for version in [each for versions in self.models.values() for each in versions]:
            self.retire(version)
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
            make_version(config, number)
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
            self.lifecycle.go_live(version)
        for name, versions in self.models.items():
            for version in versions:
                if name in gone or (name in wanted and version.version not in wanted[name]):
                    self.retire(version)
        for config in configs.values():
            self.set_labels(config)

    async def _wanted(self, config: ModelConfig) -> list[int]:
        """The versions to serve of a model, after a look whether that can be."""
        found = await asyncio.to_thread(scan_model, config.base_path)
        wanted = self.choose(config, found)
        if not wanted:
            raise NotFound(f"there is no version of {config.name!r} in its folder")
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
                await self.insert(version)
            for version in fresh:
                if not await self.lifecycle.bring_up(version):
                    raise FailedPrecondition(
                        f"version {version.version} of {version.model!r} failed to load: "
                        f"{version.reason}"
                    )
        except BaseException:
            for version in filter(self._lists, fresh):
                # What failed of a model that is served stays on show, with its reason.
                if not version.stuck or version.model not in self.served:
                    self.retire(version)
            raise

    def forget(self, gone: Collection[str]) -> None:
        """Serves models no longer; their versions finish their requests."""
        for name in gone:
            self.served.pop(name, None)
            for version in list(self.models.get(name, [])):
                self.retire(version)

    def reject(self, version: Version, reason: str) -> None:
        """Takes a version away that turned out to be bad.

        It stays on show, and is not tried again by itself until it changes; see `Refresher`.
        """
        shown = Version(model=version.model, version=version.version, path=version.path)
        shown.snapshot, shown.reason = version.snapshot, reason
        self._rejected[version.model, version.version] = shown
        self.retire(version)
        version.reason = reason  # Its requests may take long to finish, or may never do so.

    def rejected(self, model: str, number: int) -> Version | None:
        """How a version is shown that was rejected and not tried again."""
        return self._rejected.get((model, number))

    async def insert(self, version: Version) -> None:
        """Lists a version, in the place of one of the same number that failed or is leaving."""
        self._rejected.pop((version.model, version.version), None)
        for old in list(self.models.get(version.model, [])):
            if old.version == version.version:
                self.retire(old)
                await self._retiring[old]
        versions = self.models.setdefault(version.model, [])
        versions.append(version)
        versions.sort(key=lambda each: -each.version)

    def _lists(self, version: Version) -> bool:
        return version in self.models.get(version.model, [])

    def retire(self, version: Version) -> None:
        """Lets a version finish its requests and then go, beside everything else."""
        if version not in self._retiring:
            self.lifecycle.begin_unloading(version)
            self._retiring[version] = asyncio.create_task(self._let_go(version))

    async def _let_go(self, version: Version) -> None:
        await self.lifecycle.unload(version)
        versions = self.models[version.model]
        versions.remove(version)
        shown = self._rejected.get((version.model, version.version))
        if shown is not None and shown is not version:
            self.lifecycle.reject(shown, shown.reason)
            versions.append(shown)
            versions.sort(key=lambda each: -each.version)
        if not versions and version.model not in self.served:
            del self.models[version.model]
            self._metrics.forget_model(version.model)
        del self._retiring[version]

    def set_labels(self, config: ModelConfig) -> None:
        """Moves a model's labels to the versions that are ready."""
        versions = self.models.get(config.name, [])
        traffic = self.traffic_of(config.name)
        labels = {**config.labels, **traffic.labels}
        for version in versions:
            mine = [label for label, number in labels.items() if number == version.version]
            version.labels = tuple(sorted(mine)) if version.ready else ()
        set_now = {label for version in versions for label in version.labels}
        unset = {*labels, *traffic.split, *traffic.shadow} - set_now
        for label in sorted(unset - self._unset.get(config.name, set())):
            log.error("model %s: the version labelled %r is not ready", config.name, label)
        self._unset[config.name] = set(unset)


def make_version(config: ModelConfig, number: int) -> Version:
    """A version that nothing is done with yet."""
    return Version(model=config.name, version=number, path=config.base_path / str(number))
