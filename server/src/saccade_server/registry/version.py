"""One version of a model: what it is doing and what answers for it."""

import asyncio
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from saccade_server.artifact import Artifact, Snapshot
from saccade_server.errors import SaccadeError


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
    @property
    def started(self) -> float: ...  # noqa: D102


class Refused(Protocol):
    """See `batching.Refusal`."""

    @property
    def reason(self) -> str: ...  # noqa: D102
    @property
    def error(self) -> SaccadeError: ...  # noqa: D102


class Predictor(Protocol):
    """What answers for a version; see `batching.Batcher`, the one that serves."""

    @property
    def idle(self) -> bool:
        """Whether it has nothing to do."""

    @property
    def stalled_s(self) -> float:
        """Seconds without progress while there was work."""

    def expect_s(self, images: int) -> float:
        """Expected seconds of an engine call of so many images; 0 while nothing is known."""

    def reserve(
        self, images: int, *, deadline: float | None = None, client: str = ""
    ) -> AbstractContextManager[None]:
        """Holds room for images that are still being decoded."""

    def refusal(
        self, images: int, *, coming: int = 0, deadline: float | None = None, client: str = ""
    ) -> Refused | None:
        """What so many images would be refused with if they came now, behind those that come."""

    def count_refusal(self, reason: str) -> None:
        """Counts a request that was refused for that reason."""

    async def submit(
        self,
        images: NDArray[np.uint8 | np.float32],
        *,
        deadline: float | None = None,
        urgent: bool = False,
        client: str = "",
        alone: bool = False,
    ) -> Scored:
        """Runs the images of one request."""

    async def submit_spare(self, images: NDArray[np.uint8 | np.float32]) -> Scored:
        """Runs images for whose answer nobody waits, if there is nothing else to do."""

    async def close(self) -> None:
        """Finishes what is queued and frees everything."""


class State(Enum):
    """What a version is doing; the values are the metric's labels."""

    WAITING = "waiting"
    """Not whole, as in the middle of a copy: it is looked at again."""

    LOADING = "loading"
    READY = "ready"
    UNLOADING = "unloading"
    FAILED = "failed"
    UNLOADED = "unloaded"


class Users:
    """The requests that hold a version: what they hold is not closed under their hands.

    Between decoding and queueing a request is known to no queue; this is what keeps its engine.
    """

    def __init__(self) -> None:
        self._count = 0
        self._none = asyncio.Event()
        self._none.set()
        self.dismissed = False

    def hold(self) -> "Users":
        """Counts one request, as a context."""
        return self

    def __enter__(self) -> None:
        self._count += 1
        self._none.clear()

    def __exit__(self, *_: object) -> None:
        self._count -= 1
        if not self._count:
            self._none.set()

    async def dismiss(self) -> None:
        """Waits for the last one. No new ones may come: nobody finds the version any more."""
        self.dismissed = True
        await self._none.wait()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadedVersion:
    """A version that can answer. Two are the same only if they are one.

    Attributes:
        users: Who asks `predictor` holds it meanwhile.
    """

    model: str
    version: int
    artifact: Artifact
    engine: str
    predictor: Predictor
    users: Users = field(default_factory=Users)

    async def close(self) -> None:
        """Waits for the requests that hold it and frees everything."""
        await self.users.dismiss()
        await self.predictor.close()


@dataclass(slots=True, kw_only=True, eq=False)
class Version:
    """A version of the repository and what became of it.

    Attributes:
        path: Its folder.
        reason: Why it is in its state; empty when it is ready.
        labels: Its movable names.
        loaded: From the end of its loading to the end of its unloading.
        snapshot: Its folder when it was looked at; None: it could not be.
        settled: Whether time alone cannot make it better: only a change of its folder can.
    """

    model: str
    version: int
    path: Path
    state: State = State.LOADING
    reason: str = ""
    labels: tuple[str, ...] = ()
    loaded: LoadedVersion | None = None
    snapshot: Snapshot | None = None
    settled: bool = True

    @property
    def stuck(self) -> bool:
        """Whether it neither answers nor is on its way to."""
        return self.state in (State.WAITING, State.FAILED)

    @property
    def ready(self) -> LoadedVersion | None:
        """What answers requests, if it is to."""
        return self.loaded if self.state is State.READY else None
