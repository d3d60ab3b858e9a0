"""Who can be sent requests."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from grpc_health.v1 import health_pb2 as pb
from prometheus_client import CollectorRegistry

from fixtures.manifests import write_artifact
from fixtures.predictors import FakePredictor
from saccade_server.artifact import Artifact
from saccade_server.errors import EngineError, NotFound
from saccade_server.metrics import Metrics
from saccade_server.registry import LoadedVersion, Registry
from saccade_server.registry.lifecycle import OnBetter
from saccade_server.services.call import Call
from saccade_server.services.health import STALL_S, HealthService

API = "saccade.v1.ImageClassifier"
SERVING = pb.HealthCheckResponse.SERVING
NOT_SERVING = pb.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = pb.HealthCheckResponse.SERVICE_UNKNOWN


class TwoModels:
    """A registry of the models `good` and `bad`, which can be made to fail, to stall, to load."""

    def __init__(self, root: Path, *, any_model: bool = False) -> None:
        self.predictors = {"good": FakePredictor(), "bad": FakePredictor()}
        self.fails = False
        self._root = root
        self.registry = Registry(root, self._load, Metrics(CollectorRegistry()))
        self.health = HealthService(self.registry, [API], any_model=any_model, poll_s=0.001)

    async def open(self) -> None:
        """Brings the models up."""
        for model in self.predictors:
            write_artifact(self._root / model / "1")
        await self.registry.open()

    async def _load(
        self, model: str, version: int, artifact: Artifact, _: OnBetter
    ) -> LoadedVersion:
        if self.fails and model == "bad":
            raise EngineError("failed")
        predictor = self.predictors[model]
        return LoadedVersion(
            model=model, version=version, artifact=artifact, engine="fake", predictor=predictor
        )


@pytest.fixture
def models(tmp_path: Path) -> TwoModels:
    """What the health service asks; nothing is loaded yet."""
    return TwoModels(tmp_path)


async def status(models: TwoModels, service: str) -> int:
    """What Check answers."""
    request = pb.HealthCheckRequest(service=service)
    return int((await models.health.check(request, Call())).status)


@pytest.mark.parametrize("service", ["", API, "good", "bad"])
async def test_with_all_models_up_all_names_serve(models: TwoModels, service: str) -> None:
    """The server, each API, each model."""
    await models.open()

    assert SERVING == await status(models, service)


@pytest.mark.parametrize("service", ["", API])
async def test_before_the_models_are_up_nothing_serves(models: TwoModels, service: str) -> None:
    """The process lives, but has no answers yet."""
    assert NOT_SERVING == await status(models, service)


@pytest.mark.parametrize(
    ("service", "expected"),
    [("", NOT_SERVING), (API, NOT_SERVING), ("good", SERVING), ("bad", NOT_SERVING)],
)
async def test_a_failed_model_is_seen(models: TwoModels, service: str, expected: int) -> None:
    """By its own name and by the server's; the other model serves."""
    models.fails = True
    await models.open()

    assert expected == await status(models, service)


@pytest.mark.parametrize(
    ("service", "expected"),
    [("", NOT_SERVING), (API, NOT_SERVING), ("good", SERVING), ("bad", NOT_SERVING)],
)
async def test_a_model_that_is_stuck_is_seen(
    models: TwoModels, service: str, expected: int
) -> None:
    """Nothing says that it serves while nothing moves."""
    await models.open()
    models.predictors["bad"].stalled_s = STALL_S

    assert expected == await status(models, service)


@pytest.mark.parametrize(
    ("service", "expected"),
    [("", SERVING), (API, SERVING), ("good", SERVING), ("bad", NOT_SERVING)],
)
async def test_where_one_is_enough_a_model_that_is_stuck_holds_nobody_up(
    tmp_path: Path, service: str, expected: int
) -> None:
    """The server serves as long as one model does."""
    models = TwoModels(tmp_path, any_model=True)
    await models.open()
    models.predictors["bad"].stalled_s = STALL_S

    assert expected == await status(models, service)


async def test_where_one_is_enough_none_is_too_few(tmp_path: Path) -> None:
    """Nothing answers, so nothing serves."""
    models = TwoModels(tmp_path, any_model=True)
    before = await status(models, "")
    await models.open()
    for predictor in models.predictors.values():
        predictor.stalled_s = STALL_S

    assert (NOT_SERVING, NOT_SERVING) == (before, await status(models, ""))


async def test_a_model_that_is_slow_is_not_stuck(models: TwoModels) -> None:
    """Below the bound it still serves."""
    await models.open()
    models.predictors["bad"].stalled_s = STALL_S - 1

    assert SERVING == await status(models, "")


@pytest.mark.parametrize("service", ["", API, "good"])
async def test_a_draining_server_does_not_serve(models: TwoModels, service: str) -> None:
    """Load balancers go elsewhere while it finishes."""
    await models.open()
    models.health.drain()

    assert NOT_SERVING == await status(models, service)


@pytest.mark.parametrize("draining", [False, True])
async def test_an_unknown_name_is_not_found(models: TwoModels, draining: bool) -> None:
    """The text names it."""
    await models.open()
    if draining:
        models.health.drain()
    with pytest.raises(NotFound) as refused:
        await status(models, "dogs")

    assert "no service or model 'dogs'" == refused.value.message


@pytest.mark.parametrize(("up", "expected"), [(True, True), (False, False)])
async def test_the_probe_asks_the_same(models: TwoModels, up: bool, expected: bool) -> None:
    """`/readyz` is the server's own status."""
    if up:
        await models.open()

    assert expected == models.health.ready


async def only(service: str) -> AsyncIterator[pb.HealthCheckRequest]:
    """The one request of a Watch."""
    yield pb.HealthCheckRequest(service=service)


async def test_watch_tells_every_change(models: TwoModels) -> None:
    """The status now, then each time that it is another one."""
    seen = models.health.watch(only(""), Call())
    first = (await anext(seen)).status
    await models.open()
    second = (await anext(seen)).status
    models.predictors["bad"].stalled_s = STALL_S
    third = (await anext(seen)).status
    models.predictors["bad"].stalled_s = 0
    fourth = (await anext(seen)).status

    assert [NOT_SERVING, SERVING, NOT_SERVING, SERVING] == [first, second, third, fourth]


async def test_watch_waits_for_a_name_that_is_not_there_yet(models: TwoModels) -> None:
    """As the protocol asks: it tells that the name is unknown, and goes on."""
    seen = models.health.watch(only("good"), Call())
    first = (await anext(seen)).status
    await models.open()
    second = (await anext(seen)).status

    assert [SERVICE_UNKNOWN, SERVING] == [first, second]


async def test_watch_ends_with_the_drain(models: TwoModels) -> None:
    """After the last word; left open, it would hold up the end of the process."""
    await models.open()
    seen = models.health.watch(only(""), Call())
    await anext(seen)
    models.health.drain()

    assert [NOT_SERVING] == [response.status async for response in seen]


async def test_watch_says_nothing_while_nothing_changes(models: TwoModels) -> None:
    """However often it looks."""
    await models.open()
    seen = models.health.watch(only(""), Call())
    await anext(seen)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(seen), 0.02)
