"""The models that are served.

Owns the versions' states and the rule by which a request finds its version. How a version is
brought up is handed in (`Loader`): the registry opens no graph and starts no thread.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from saccade_server.artifact import Artifact, read_artifact
from saccade_server.errors import ArtifactError, EngineError, InvalidArgument, NotFound, Unavailable
from saccade_server.metrics import Metrics
from saccade_server.registry.repository import scan_repository

log = logging.getLogger(__name__)


class Scored(Protocol):
    """See `batching.Scores`."""

    @property
    def probabilities(self) -> NDArray[np.float32]: ...  # noqa: D102
    @property
    def queue_s(self) -> float: ...  # noqa: D102
    @property
    def inference_s(self) -> float: ...  # noqa: D102
    @property
    def batch_images(self) -> int: ...  # noqa: D102


class Predictor(Protocol):
    """What answers for a version; see `batching.Batcher`, the one that serves."""

    @property
    def stalled_s(self) -> float:
        """Seconds without progress while there was work."""

    def reserve(
        self, images: int, *, deadline: float | None = None
    ) -> AbstractContextManager[None]:
        """Holds room for images that are still being decoded."""

    async def submit(
        self,
        images: NDArray[np.uint8 | np.float32],
        *,
        deadline: float | None = None,
        urgent: bool = False,
    ) -> Scored:
        """Runs the images of one request."""

    async def close(self) -> None:
        """Finishes what is queued and frees everything."""


class State(Enum):
    """What a version is doing; the values are the metric's labels."""

    LOADING = "loading"
    READY = "ready"
    UNLOADING = "unloading"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedVersion:
    """A version that can answer."""

    model: str
    version: int
    artifact: Artifact
    engine: str
    predictor: Predictor


@dataclass(slots=True, kw_only=True)
class Version:
    """A version of the repository and what became of it."""

    model: str
    version: int
    state: State = State.LOADING
    reason: str = ""
    loaded: LoadedVersion | None = field(default=None)


OnBetter = Callable[[LoadedVersion], Awaitable[None]]

Load = Callable[[str, int, Artifact, OnBetter], Awaitable[LoadedVersion]]
"""Brings up a version; see `loading.Loader.load`."""


class Registry:
    """Loads the newest version of each model and finds the one that a request names.

    Args:
        root: The model repository.
        load: Brings up one version.
        metrics: Where states are shown.
    """

    def __init__(self, root: Path, load: Load, metrics: Metrics) -> None:
        self._root = root
        self._load = load
        self._metrics = metrics
        self._models: dict[str, list[Version]] = {}

    @property
    def models(self) -> dict[str, list[Version]]:
        """The versions of each model, newest first."""
        return self._models

    @property
    def ready(self) -> bool:
        """Whether there is a model and each one has a version that answers."""
        return bool(self._models) and all(map(_ready, self._models.values()))

    async def open(self) -> None:
        """Loads the newest version of every model, one after the other.

        A version that cannot be loaded is logged and marked as failed; the others load.

        Raises:
            ConfigError: The repository is no folder.
        """
        for model, versions in scan_repository(self._root).items():
            self._models[model] = [Version(model=model, version=versions[0])]
        for versions_of_model in self._models.values():
            for version in versions_of_model:
                await self._bring_up(version)

    async def close(self) -> None:
        """Finishes all requests and frees all versions."""
        loaded = [v.loaded for versions in self._models.values() for v in versions if v.loaded]
        await asyncio.gather(*(version.predictor.close() for version in loaded))

    def find(self, model: str, version: int = 0, label: str = "") -> LoadedVersion:
        """The version that answers a request.

        Args:
            model: Empty: the only one.
            version: 0: the default, unless a label is given.
            label: Movable name of a version.

        Raises:
            InvalidArgument: No model named and there are several.
            NotFound: No such model, version or label.
            Unavailable: It is not ready.
        """
        found = self.describe(model, version, label)
        if found.loaded is None:
            if found.state is State.FAILED:
                raise Unavailable(f"version {found.version} of {found.model!r} failed to load")
            raise Unavailable(f"model {found.model!r} is {found.state.value}: try again later")
        return found.loaded

    def describe(self, model: str, version: int = 0, label: str = "") -> Version:
        """Like `find`, whatever the version's state."""
        if not model:
            if len(self._models) > 1:
                raise InvalidArgument(f"name a model, one of: {', '.join(self._models)}")
            model = next(iter(self._models), "")
        versions = self._models.get(model)
        if not versions:
            served = ", ".join(self._models) or "none"
            raise NotFound(f"no model {model!r}; there are: {served}")
        if label:
            raise NotFound(f"no version of {model!r} has the label {label!r}")
        if not version:
            return next((v for v in versions if v.loaded), versions[0])
        for candidate in versions:
            if candidate.version == version:
                return candidate
        numbers = ", ".join(str(candidate.version) for candidate in versions)
        raise NotFound(f"no version {version} of {model!r}; there are: {numbers}")

    async def _replace(self, better: LoadedVersion) -> None:
        """Lets a version go on with another engine; requests under way finish on the old one."""
        version = self.describe(better.model, better.version)
        old, version.loaded = version.loaded, better
        labels = better.model, str(better.version)
        if old is not None:
            self._metrics.model_info.remove(*labels, old.engine)
            await old.predictor.close()
        self._metrics.model_info.labels(*labels, better.engine).set(1)
        log.info("model %s version %s goes on with %s", *labels, better.engine)

    async def _bring_up(self, version: Version) -> None:
        path = self._root / version.model / str(version.version)
        self._enter(version, State.LOADING)
        started = time.monotonic()
        try:
            artifact = await asyncio.to_thread(read_artifact, path)
            version.loaded = await self._load(
                version.model, version.version, artifact, self._replace
            )
        except (ArtifactError, EngineError) as error:
            log.error("model %s version %d: %s", version.model, version.version, error)
            self._fail(version, str(error))
            return
        except Exception as error:
            # The edge: whatever is wrong with one version, the others serve.
            log.exception("model %s version %d", version.model, version.version)
            self._fail(version, f"{type(error).__name__}: the log says more")
            return
        seconds = time.monotonic() - started
        labels = version.model, str(version.version)
        self._metrics.model_load_seconds.labels(*labels).set(seconds)
        self._metrics.model_info.labels(*labels, version.loaded.engine).set(1)
        self._enter(version, State.READY)
        log.info(
            "model %s version %d ready on %s after %.2f s",
            version.model, version.version, version.loaded.engine, seconds,
        )  # fmt: skip

    def _fail(self, version: Version, reason: str) -> None:
        version.reason = reason
        self._enter(version, State.FAILED)

    def _enter(self, version: Version, state: State) -> None:
        version.state = state
        for each in State:
            gauge = self._metrics.model_state.labels(
                version.model, str(version.version), each.value
            )
            gauge.set(each is state)


def _ready(versions: list[Version]) -> bool:
    return any(version.state is State.READY for version in versions)
