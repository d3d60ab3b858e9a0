"""Bringing a model up to date with its folder, without anybody asking for it.

Unlike a change that is asked for (`Rollout.apply`), what cannot be loaded is left as it is and the
rest goes on: the model answers with the best that there is, and each look may make it better.
"""

import asyncio
import logging
from collections.abc import Iterable

from saccade_server.registry.model_config import ModelConfig
from saccade_server.registry.probation import Probation
from saccade_server.registry.repository import scan_model
from saccade_server.registry.rollout import Rollout, make_version
from saccade_server.registry.version import State, Version

log = logging.getLogger(__name__)


class Refresher:
    """Looks at folders and does what their models' policies ask.

    Args:
        rollout: The versions.
        probation: Watches those that take over.
    """

    def __init__(self, rollout: Rollout, probation: Probation) -> None:
        self._rollout = rollout
        self._probation = probation

    async def announce(self, configs: Iterable[ModelConfig]) -> None:
        """Shows what is going to be loaded first."""
        for config in configs:
            numbers = await asyncio.to_thread(scan_model, config.base_path)
            chosen = self._rollout.choose(config, numbers)
            self._rollout.models[config.name] = [make_version(config, each) for each in chosen]
            self._rollout.served[config.name] = config
        self._rollout.known = True

    async def refresh(self, config: ModelConfig) -> None:
        """Looks once. A version that cannot be loaded is logged and marked; others take its place.

        Versions that leave do so when all that are to be served instead answer.

        Raises:
            OSError: The folder cannot be read; everything stays.
        """
        numbers = await asyncio.to_thread(scan_model, config.base_path)
        tried: set[int] = set()
        while True:
            usable = [each for each in numbers if await self._is_usable(config, each, tried)]
            wanted = self._rollout.choose(config, usable)
            number = await self._next(config, wanted, tried)
            if number is None:
                break
            tried.add(number)
            version = await self._place(config, number)
            if await self._rollout.lifecycle.bring_up(version):
                # From here to the next round nothing waits: one takes over from the other.
                self._probation.begin(version)
                self._rollout.lifecycle.go_live(version)
                self._rollout.served[config.name] = config
                self._trim(config, wanted, numbers)
                self._rollout.set_labels(config)
        if wanted or not numbers:
            self._trim(config, wanted, numbers)
        self._drop(config, numbers, usable)
        self._rollout.set_labels(config)

    def _find(self, model: str, number: int) -> Version | None:
        versions = self._rollout.models.get(model, [])
        return next((each for each in versions if each.version == number), None)

    async def _next(self, config: ModelConfig, wanted: list[int], tried: set[int]) -> int | None:
        """The version to load next."""
        for number in wanted:
            version = self._find(config.name, number)
            is_ready = version is not None and version.ready is not None
            if not is_ready and await self._is_usable(config, number, tried):
                return number
        return None

    async def _is_usable(self, config: ModelConfig, number: int, tried: set[int]) -> bool:
        """Whether it answers, or it is worth trying to load it now."""
        rejected = self._rollout.rejected(config.name, number)
        version = rejected or self._find(config.name, number)
        if version is None or not (rejected or version.stuck):
            return True
        if number in tried:
            return False
        if not version.settled:
            return True
        now = await self._rollout.lifecycle.opener.look(version)
        if now is None or version.snapshot is None:
            return now is not version.snapshot
        return not now.same(version.snapshot, but_for_forms=rejected is not None)

    async def _place(self, config: ModelConfig, number: int) -> Version:
        """A version in the list that can be brought up."""
        version = self._find(config.name, number)
        if version is None or version.state is not State.LOADING:
            version = make_version(config, number)
            await self._rollout.insert(version)
        return version

    def _trim(self, config: ModelConfig, wanted: list[int], numbers: list[int]) -> None:
        """Lets go of what is not wanted any more, if all that is wanted answers.

        What may have to come back stays, as long as its folder is there.
        """
        kept = self._probation.kept(config.name).intersection(numbers)
        versions = self._rollout.models.get(config.name, [])
        ready = [each for each in versions if each.ready]
        if {each.version for each in ready}.issuperset(wanted):
            for version in ready:
                if version.version not in kept.union(wanted):
                    self._rollout.retire(version)

    def _drop(self, config: ModelConfig, numbers: list[int], usable: list[int]) -> None:
        """Forgets versions that could not be loaded and would not be served anyway.

        Those that would, if only they could, are remembered: the next look would try them again.
        """
        chosen = self._rollout.choose(config, numbers)
        for version in list(self._rollout.models.get(config.name, [])):
            number = version.version
            idle = version.stuck or (version.state is State.LOADING and version.loaded is None)
            if not idle or number in chosen:
                continue
            others = sorted({*usable, number})
            if number not in numbers or number not in self._rollout.choose(config, others):
                self._rollout.retire(version)
