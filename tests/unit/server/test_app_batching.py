"""What the composition root tells the batcher of a version."""

from pathlib import Path
from typing import Any

import pytest

from saccade_server import app
from saccade_server.config import ServerConfig
from saccade_server.loading.engine_set import EngineSet
from saccade_server.loading.sizing import Sizing


class NotedBatcher:
    """Notes what it is told."""

    def __init__(self, workers: list[str], config: Any, *_: object, **told: Any) -> None:
        self.workers = workers
        self.config = config
        self.told = told


@pytest.mark.parametrize(("few", "gather"), [(False, False), (True, False), (True, True)])
def test_a_batcher_knows_what_the_engines_and_the_transport_know(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, few: bool, gather: bool
) -> None:
    """How batches are best run, and which calls are announced to the transport."""
    monkeypatch.setattr(app, "Batcher", NotedBatcher)
    monkeypatch.setattr(app, "EngineWorker", lambda engine, **_: f"worker of {engine}")
    server = app.App(ServerConfig(model_repository=str(tmp_path), cache_dir=tmp_path))
    sizing = Sizing(batch_images=8, enough_images=4, heavy=True)
    engines: Any = EngineSet(engines=["one"], wide="all", sizing=sizing, few=few, gather=gather)  # type: ignore[list-item, arg-type]
    artifact: Any = None

    made: Any = server._make_predictor("digits", 1, artifact, engines)

    config = made.config
    assert (8, 4, few, gather) == (
        config.max_batch_images,
        config.enough_images,
        config.few,
        config.gather,
    )
    assert (["worker of one"], "worker of all") == (made.workers, made.told["wide"])
    assert server._apis.answerer.announced is made.told["announced"]
