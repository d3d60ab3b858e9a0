"""Which requests are refused by their first bytes."""

from pathlib import Path
from typing import Any, cast

import pytest

from fixtures.clock import FakeClock
from fixtures.predictors import FakePredictor
from saccade.v1 import classifier_pb2 as pb
from saccade_server.batching.door import Refusal
from saccade_server.errors import Overloaded
from saccade_server.registry import LoadedVersion, State, Version
from saccade_server.services.admission import COMING_S, Coming, bounded, read_name
from saccade_server.services.call import Call, Method


class BusyPredictor(FakePredictor):
    """Refuses.

    Attributes:
        counted: The reasons that were counted.
    """

    def __init__(self, model: str) -> None:
        super().__init__()
        self.model = model
        self.counted: list[str] = []

    def refusal(
        self, images: int, *, coming: int = 0, deadline: float | None = None, client: str = ""
    ) -> Refusal:
        """Always."""
        return Refusal("full", Overloaded(f"{self.model} is full", retry_after_s=1.0))

    def count_refusal(self, reason: str) -> None:
        """Notes it."""
        self.counted.append(reason)


def make_version(model: str, *, busy: bool, version: int = 1) -> Version:
    """A version that is ready."""
    predictor = BusyPredictor(model) if busy else FakePredictor()
    loaded = LoadedVersion(
        model=model, version=version, artifact=cast(Any, None), engine="none", predictor=predictor
    )
    return Version(model=model, version=version, path=Path(model), state=State.READY, loaded=loaded)


def ask(versions: list[Version], beginning: bytes) -> object:
    """Shows the first bytes of a request to what guards Classify; gives what it wants called."""
    models: dict[str, list[Version]] = {}
    for each in versions:
        models.setdefault(each.model, []).append(each)

    async def classify(request: Any, call: Call) -> Any: ...

    method = Method(
        api="test",
        path="/saccade.v1.ImageClassifier/Classify",
        request=pb.ClassifyRequest,
        unary=classify,
    )
    guarded = bounded([method], lambda: models)[0]
    assert guarded.judge is not None
    return guarded.judge(beginning, Call())


def request_for(model: str = "") -> bytes:
    """The first bytes of a large request."""
    request = pb.ClassifyRequest(images=[pb.Image(encoded=bytes(1000))])
    if model:
        request.model.name = model
    return request.SerializeToString()[:100]


BUSY, FREE = make_version("busy", busy=True), make_version("free", busy=False)


@pytest.mark.parametrize(
    ("versions", "named"),
    [([BUSY], "busy"), ([BUSY], ""), ([BUSY, FREE], "busy")],
    ids=["by name", "the only model", "one of two"],
)
def test_what_no_version_can_answer_is_refused(versions: list[Version], named: str) -> None:
    """In the words of the model's queue."""
    with pytest.raises(Overloaded, match="busy is full"):
        ask(versions, request_for(named))


@pytest.mark.parametrize(
    ("versions", "named"),
    [
        ([BUSY, FREE], "free"),
        ([BUSY, FREE], ""),
        ([BUSY, make_version("busy", busy=False, version=2)], "busy"),
        ([BUSY], "unknown"),
        ([], ""),
    ],
    ids=["the other model", "any of two models", "any of two versions", "none", "no models"],
)
def test_what_might_be_answered_is_let_through(versions: list[Version], named: str) -> None:
    """Also what its handler will find to be wrong."""
    ask(versions, request_for(named))


@pytest.mark.parametrize(
    ("others", "named", "counts"),
    [([], "", True), ([BUSY], "free", True), ([BUSY], "", False)],
    ids=["the only model", "by name", "any of two"],
)
def test_what_is_let_through_takes_no_other_models_room(
    others: list[Version], named: str, counts: bool
) -> None:
    """It counts as coming only where it is certain which model is meant."""
    assert counts == (ask([FREE, *others], request_for(named)) is not None)


def test_a_refusal_is_counted_once() -> None:
    """Whatever the number of versions that were asked."""
    versions = [make_version("busy", busy=True, version=number) for number in (1, 2)]

    with pytest.raises(Overloaded):
        ask(versions, request_for("busy"))

    counted = [cast(Any, each.loaded).predictor.counted for each in versions]
    assert [["full"]] == [each for each in counted if each]


@pytest.mark.parametrize(
    ("beginning", "depth", "name"),
    [
        (b"\x0a\x03cnn\x12", 1, "cnn"),
        (b"\x0a\x05\x0a\x03cnn\x12", 2, "cnn"),
        (b"\x0a\x05\x0a\x03cn", 2, ""),
        (b"\x0a\x02\x0a\x03cnn", 2, ""),
        (b"\x12\x03cnn", 1, ""),
        (b"\x0a\xff\x01", 1, ""),
        (b"\x0a", 1, ""),
        (b"", 2, ""),
        (b"\x0a\x01\xff", 1, "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_a_name_is_read_only_where_it_stands_whole(beginning: bytes, depth: int, name: str) -> None:
    """Everything else may mean any model."""
    assert name == read_name(beginning, depth)


def test_what_is_coming_counts_until_it_has_come() -> None:
    """And only once, however often that is told."""
    coming = Coming(FakeClock())
    first, _ = coming.add("one"), coming.add("one")
    both = coming.count("one")

    first()
    first()

    assert (2, 1) == (both, coming.count("one"))


def test_what_comes_for_one_client_is_not_counted_for_another() -> None:
    """Each has a share of its own."""
    coming = Coming(FakeClock())
    coming.add("one")

    assert (1, 0) == (coming.count("one"), coming.count("two"))


def test_what_is_coming_slowly_does_not_count() -> None:
    """It keeps nobody else out; what came later still counts."""
    clock = FakeClock()
    coming = Coming(clock)
    slow = coming.add("one")
    clock.advance(COMING_S * 0.6)
    coming.add("one")
    clock.advance(COMING_S * 0.6)
    left = coming.count("one")

    slow()

    assert (1, 1) == (left, coming.count("one"))


def test_what_others_send_does_not_count() -> None:
    """A client's share is its own."""
    coming = Coming(FakeClock())
    coming.add("one")

    assert (1, 0) == (coming.count("one"), coming.count("other"))
