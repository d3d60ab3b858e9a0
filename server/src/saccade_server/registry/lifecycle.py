"""The life of one version: loading, another engine, unloading; and the metrics that show it."""

import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial

from saccade_server.artifact import Artifact
from saccade_server.errors import ArtifactError, EngineError, IncompleteArtifact
from saccade_server.metrics import Metrics
from saccade_server.registry.opening import Opener, without_paths
from saccade_server.registry.version import LoadedVersion, State, Version

log = logging.getLogger(__name__)

MAX_REASON = 1000
"""Characters of why a version does not answer: it may quote a manifest, and stands in every list of
the models and in the log."""

OnBetter = Callable[[LoadedVersion], Awaitable[None]]

Load = Callable[[str, int, Artifact, OnBetter], Awaitable[LoadedVersion]]
"""Brings up a version; see `loading.Loader.load`."""

_SHOWN = (State.WAITING, State.LOADING, State.READY, State.UNLOADING, State.FAILED)
"""A version in the last state has no series."""


class Lifecycle:
    """Moves versions from state to state.

    Args:
        opener: Makes an artifact of a folder.
        load: Brings up one version.
        metrics: Where states are shown.

    Attributes:
        opener: Makes an artifact of a folder.
    """

    def __init__(self, opener: Opener, load: Load, metrics: Metrics) -> None:
        self.opener = opener
        self._load = load
        self._metrics = metrics

    async def bring_up(self, version: Version) -> bool:
        """Loads a version, which then waits in LOADING for `go_live`.

        Returns:
            Whether it could be loaded; if not it is FAILED or, if its folder is not whole, WAITING,
            with a reason.
        """
        version.reason = ""
        self._enter(version, State.LOADING)
        started = time.monotonic()
        try:
            artifact = await self.opener.open(version)
            version.loaded = await self._load(
                version.model, version.version, artifact, partial(self._replace, version)
            )
        except IncompleteArtifact as error:
            text = str(error)[:MAX_REASON]
            log.warning("model %s version %d waits: %s", version.model, version.version, text)
            self._stop_at(version, State.WAITING, text)
            return False
        except (ArtifactError, EngineError) as error:
            text = str(error)[:MAX_REASON]
            log.error("model %s version %d: %s", version.model, version.version, text)
            self._stop_at(version, State.FAILED, text)
            return False
        except Exception as error:
            # The edge: whatever is wrong with one version, the others serve.
            log.exception("model %s version %d", version.model, version.version)
            self._stop_at(version, State.FAILED, f"{type(error).__name__}: the log says more")
            return False
        seconds = time.monotonic() - started
        labels = version.model, str(version.version)
        self._metrics.model_load_seconds.labels(*labels).set(seconds)
        log.info(
            "model %s version %d loaded on %s in %.2f s",
            version.model, version.version, version.loaded.engine, seconds,
        )  # fmt: skip
        return True

    def go_live(self, version: Version) -> None:
        """From now on a loaded version answers."""
        if version.loaded is None:
            raise RuntimeError(f"{version.model} {version.version} is not loaded")
        labels = version.model, str(version.version)
        self._metrics.model_info.labels(*labels, version.loaded.engine).set(1)
        self._enter(version, State.READY)

    def begin_unloading(self, version: Version) -> None:
        """From now on a version takes no requests. `unload` must follow."""
        version.labels = ()
        version.reason = "finishes its requests"
        self._enter(version, State.UNLOADING)

    async def unload(self, version: Version) -> None:
        """Waits for a version's requests, frees it and forgets its metrics."""
        loaded = version.loaded
        if loaded is not None:
            try:
                await loaded.close()
            except Exception:
                # The edge: an engine that does not close must not keep the next version away.
                log.exception("model %s version %d", version.model, version.version)
        version.loaded = None
        version.state, version.reason = State.UNLOADED, ""
        self._metrics.forget_version(version.model, str(version.version))
        if loaded is not None:
            log.info("model %s version %d unloaded", version.model, version.version)

    async def _replace(self, version: Version, better: LoadedVersion) -> None:
        """Lets a version go on with another engine; requests under way finish on the old one."""
        old = version.loaded
        if version.state not in (State.LOADING, State.READY) or old is None:
            await better.close()
            return
        version.loaded = better
        labels = better.model, str(better.version)
        if version.state is State.READY:
            self._metrics.model_info.remove(*labels, old.engine)
            self._metrics.model_info.labels(*labels, better.engine).set(1)
        log.info("model %s version %s goes on with %s", *labels, better.engine)
        await old.close()

    def reject(self, version: Version, reason: str) -> None:
        """Shows a version that is not tried again until it changes."""
        self._stop_at(version, State.FAILED, reason)

    def _stop_at(self, version: Version, state: State, reason: str) -> None:
        version.reason = without_paths(reason, version.path)
        self._enter(version, state)

    def _enter(self, version: Version, state: State) -> None:
        version.state = state
        for each in _SHOWN:
            gauge = self._metrics.model_state.labels(
                version.model, str(version.version), each.value
            )
            gauge.set(each is state)
