"""How many engines a version gets, and which of them runs lone batches."""

from pathlib import Path
from typing import Any

import pytest

from fixtures.engines import FakeEngine
from fixtures.manifests import write_artifact
from saccade_server.artifact import Artifact, read_artifact
from saccade_server.errors import EngineError
from saccade_server.loading import engine_set
from saccade_server.loading.engine_set import EngineConfig, EngineSet, make_engines
from saccade_server.loading.sizing import Sizing

HEAVY = Sizing(batch_images=1, enough_images=1, heavy=True)
LIGHT = Sizing(batch_images=32, enough_images=32, heavy=False)


class Engines:
    """Loads fake engines.

    Attributes:
        threads: Of each engine that was loaded.
        made: The engines.
        most: That can be loaded.
    """

    def __init__(self) -> None:
        self.threads: list[int] = []
        self.made: list[FakeEngine] = []
        self.most = 100

    def load(self, artifact: Artifact, kind: str, *, form: Path, threads: int) -> FakeEngine:
        """One more."""
        if len(self.made) == self.most:
            raise EngineError("no memory")
        self.threads.append(threads)
        self.made.append(FakeEngine())
        return self.made[-1]


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> Engines:
    """What is loaded."""
    engines = Engines()
    monkeypatch.setattr(engine_set, "load_engine", engines.load)
    return engines


@pytest.fixture
def artifact(tmp_path: Path) -> Artifact:
    """Any."""
    write_artifact(tmp_path / "1")
    return read_artifact(tmp_path / "1")


def make(
    artifact: Artifact,
    sizing: Sizing,
    *,
    kind: str = "litert",
    workers: int = 0,
    threads: int = 2,
    spare: bool = False,
) -> EngineSet:
    """The engines of a graph of which a trial elsewhere has said how it is best run."""
    config = EngineConfig(workers=workers, threads=threads, max_batch_images=32, spare=spare)
    return make_engines(artifact, kind, None, config, known=sizing, sizes=[], later=None)


@pytest.mark.parametrize(
    ("threads", "each"), [(2, [1, 1]), (3, [1, 1, 1]), (4, [1] * 4), (8, [2] * 4)]
)
def test_a_heavy_graph_has_engines_beside_the_wide_one(
    engines: Engines, artifact: Artifact, threads: int, each: list[int]
) -> None:
    """They share the processors, of which the wide one has all."""
    found = make(artifact, HEAVY, threads=threads)

    assert ([threads, *each], engines.made[0], engines.made[1:], 1) == (
        engines.threads,
        found.wide,
        found.engines,
        found.sizing.batch_images,
    )


@pytest.mark.parametrize(("threads", "wide", "beside"), [(2, 1, 2), (3, 0, 3), (8, 0, 4)])
def test_of_many_processors_mnn_leaves_none_idle(
    engines: Engines, artifact: Artifact, threads: int, wide: int, beside: int
) -> None:
    """It uses one for a call; a batch by itself leaves one to the loop, and must not leave more."""
    found = make(artifact, HEAVY, kind="mnn", threads=threads)

    assert (engines.made[:wide], engines.made[wide:], beside) == (
        [] if found.wide is None else [found.wide],
        found.engines,
        len(found.engines),
    )


@pytest.mark.parametrize(
    ("sizing", "how", "threads"),
    [
        (LIGHT, {}, [2]),
        (HEAVY, {"threads": 1}, [1]),
        (HEAVY, {"kind": "tensorflow"}, [2]),
        (HEAVY, {"workers": 1}, [2]),
        (HEAVY, {"workers": 3, "threads": 4}, [4, 4, 4]),
    ],
    ids=["light", "one processor", "TensorFlow", "one is asked for", "three are asked for"],
)
def test_others_have_no_wide_one(
    engines: Engines, artifact: Artifact, sizing: Sizing, how: dict[str, int], threads: list[int]
) -> None:
    """As many as are asked for, or one."""
    found = make(artifact, sizing, **how)  # type: ignore[arg-type]

    assert (threads, None, engines.made) == (engines.threads, found.wide, found.engines)


@pytest.mark.parametrize(
    ("how", "few", "gather"),
    [
        ({}, True, True),
        ({"threads": 1}, True, True),
        ({"threads": 3}, False, False),
        ({"spare": True}, False, False),
        ({"workers": 1}, True, True),
        ({"workers": 2}, False, False),
        ({"kind": "mnn"}, True, False),
        ({"kind": "mnn", "threads": 1}, True, True),
        ({"kind": "mnn", "threads": 3}, False, False),
    ],
    ids=str,
)
def test_requests_are_gathered_where_one_call_takes_all_of_few_processors(
    engines: Engines, artifact: Artifact, how: dict[str, Any], few: bool, gather: bool
) -> None:
    """MNN takes one; else the event loop would have the rest to itself."""
    made = make(artifact, HEAVY, **how)

    assert (few, gather) == (made.few, made.gather)


def test_what_was_made_is_freed_where_one_cannot_be(engines: Engines, artifact: Artifact) -> None:
    """A version that failed holds no memory."""
    engines.most = 2
    with pytest.raises(EngineError):
        make(artifact, HEAVY)

    assert [True, True] == [each.closed for each in engines.made]
