"""Refusing a request before its body has come, by the first bytes of its message.

Under overload most requests are refused, and images are large: to receive those that are refused
would cost what others need. A transport that sees a part of a message asks here whether to go on.

What could be served is never refused. Every version that the request may mean must refuse it: no
name, or one that is not whole, means all of them; and one image is the least that a request has.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from saccade_server.registry import LoadedVersion, Version
from saccade_server.services.call import Call, Judge, Method

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

_FIRST = 0x0A
"""The tag of a field 1 that holds bytes."""


def bounded(methods: Sequence[Method], models: Models) -> list[Method]:
    """The methods, those that take images with their `judge`."""
    return [
        replace(each, judge=_by_name(models, _DEPTHS[each.path])) if each.path in _DEPTHS else each
        for each in methods
    ]


def _by_name(models: Models, depth: int) -> Judge:
    def judge(beginning: bytes, call: Call) -> None:
        versions = _meant(models(), read_name(beginning, depth))
        refusal = None
        for version in versions:
            refusal = version.predictor.refusal(1, deadline=call.deadline)
            if refusal is None:
                return
        if refusal is not None:
            # Of those that it may mean, the last one has to stand for all.
            call.model = version.model
            version.predictor.count_refusal(refusal.reason)
            raise refusal.error

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
