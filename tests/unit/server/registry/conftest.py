"""A registry of small artifacts whose versions a test brings up, or lets fail."""

import asyncio
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from fixtures.predictors import FakePredictor
from saccade_server.artifact import Artifact
from saccade_server.metrics import Metrics
from saccade_server.registry import LoadedVersion, Registry
from saccade_server.registry.lifecycle import OnBetter


class FakeLoader:
    """Brings up every version at once, but for those that it is told to fail.

    Attributes:
        failures: The error that loading a model raises.
        asked: Set when it is asked to load something after `hold`.
        loaded: What was loaded, in order.
        on_better: What to call with a version on a quicker engine, by model.
    """

    def __init__(self) -> None:
        self.failures: dict[str, Exception] = {}
        self.asked = asyncio.Event()
        self._gate = asyncio.Event()
        self._gate.set()
        self.loaded: list[LoadedVersion] = []
        self.on_better: dict[str, OnBetter] = {}

    def hold(self) -> None:
        """From now on loading waits for `release`."""
        self.asked.clear()
        self._gate.clear()

    def release(self) -> None:
        """Lets all loading go on."""
        self._gate.set()

    async def load(
        self, model: str, version: int, artifact: Artifact, on_better: OnBetter
    ) -> LoadedVersion:
        """See `loading.Loader.load`."""
        self.asked.set()
        await self._gate.wait()
        if model in self.failures:
            raise self.failures[model]
        self.on_better[model] = on_better
        self.loaded.append(make_version(model, version, artifact))
        return self.loaded[-1]


def make_version(
    model: str, version: int, artifact: Artifact, engine: str = "tensorflow"
) -> LoadedVersion:
    """A version with a predictor of its own."""
    return LoadedVersion(
        model=model, version=version, artifact=artifact, engine=engine, predictor=FakePredictor()
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty model repository."""
    folder = tmp_path / "repository"
    folder.mkdir()
    return folder


@pytest.fixture
def metrics() -> Metrics:
    """The registry's metrics."""
    return Metrics(CollectorRegistry())


@pytest.fixture
def loader() -> FakeLoader:
    """What brings versions up."""
    return FakeLoader()


@pytest.fixture
def registry(root: Path, loader: FakeLoader, metrics: Metrics) -> Registry:
    """What is tested; not open yet."""
    return Registry(root, loader.load, metrics)
