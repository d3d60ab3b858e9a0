"""Refusing a request before its body has come, by the first bytes of its message.

Under overload most requests are refused, and images are large: to receive those that are refused
would cost what others need. A transport that sees a part of a message asks here whether to go on.

What could be served is not refused. Every version that the request may mean must refuse it: no
name, or one that is not whole, means all of them; and one image is the least that a request has.
Bodies under way count as images that wait: without that, all requests that begin while one body
comes would be let through for the same place.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from saccade_server.registry import LoadedVersion, Version
from saccade_server.services.call import Call, Judge, Method
from saccade_server.services.per_version import PerVersion

Models = Callable[[], Mapping[str, Sequence[Version]]]
"""Tells the versions of each model."""

_DEPTHS = {
    "/saccade.v1.ImageClassifier/Classify": 2,
    "/inference.GRPCInferenceService/ModelInfer": 1,
    "/tensorflow.serving.PredictionService/Predict": 2,
    "/tensorflow.serving.PredictionService/Classify": 2,
}
"""Methods whose messages begin with the model's name, at least as everybody writes them: it is
field 1, or field 1 of the message in field 1."""

COMING_S = 0.1
"""For how long a body may be under way before others are let through in its place."""

_FIRST = 0x0A
"""The tag of a field 1 that holds bytes."""


def bounded(methods: Sequence[Method], models: Models, fairness_key: str = "") -> list[Method]:
    """The methods, those that take images with their `judge`."""
    coming = PerVersion(lambda _: Coming())
    judges = {
        path: _by_name(models, depth, coming, fairness_key) for path, depth in _DEPTHS.items()
    }
    return [replace(each, judge=judges.get(each.path)) for each in methods]


class Coming:
    """The requests of a version that were let through and have not come whole: all need room soon.

    They count for a moment only, so that a slow or hostile sender keeps nobody else out, and for
    their own client only, where clients have shares.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._all: dict[object, tuple[float, str]] = {}
        self._counts: Counter[str] = Counter()

    def count(self, client: str) -> int:
        """Those of a client."""
        oldest = self._clock() - COMING_S
        while self._all and next(iter(self._all.values()))[0] < oldest:
            self._end(next(iter(self._all)))
        return self._counts[client]

    def add(self, client: str) -> Callable[[], object]:
        """Counts one more of a client, until what it returns is called."""
        one = object()
        self._all[one] = self._clock(), client
        self._counts[client] += 1
        return partial(self._end, one)

    def _end(self, one: object) -> None:
        if one in self._all:
            _, client = self._all.pop(one)
            self._counts[client] -= 1
            if not self._counts[client]:
                del self._counts[client]


def _by_name(models: Models, depth: int, coming: PerVersion[Coming], fairness_key: str) -> Judge:
    def judge(beginning: bytes, call: Call) -> Callable[[], object] | None:
        refusal = None
        client = call.metadata.get(fairness_key, "")
        served = models()
        name = read_name(beginning, depth)
        for version in _meant(served, name):
            others = coming[version]
            refusal = version.predictor.refusal(
                1, coming=others.count(client), deadline=call.deadline, client=client
            )
            if refusal is None:
                # Those of one model must not take another one's room.
                return others.add(client) if name or len(served) == 1 else None
        if refusal is not None:
            # Of those that it may mean, the last one has to stand for all.
            call.model = version.model
            version.predictor.count_refusal(refusal.reason)
            raise refusal.error
        return None

    return judge


def _meant(models: Mapping[str, Sequence[Version]], name: str) -> list[LoadedVersion]:
    """All versions that may be meant."""
    named = [models.get(name, ())] if name else models.values()
    return [version.ready for versions in named for version in versions if version.ready]


def read_name(beginning: bytes, depth: int) -> str:
    """The model's name by a message's first bytes; empty where it does not stand there whole."""
    for _ in range(depth):
        if len(beginning) < 2 or beginning[0] != _FIRST or beginning[1] > 0x7F:
            # Something else, or longer than a name.
            return ""
        size = 2 + beginning[1]
        if len(beginning) < size:
            return ""
        beginning = beginning[2:size]
    return beginning.decode("utf-8", "replace")
