"""Client library of Saccade, an image-classification service.

    with saccade.Client("localhost:8500") as client:
        for prediction in client.classify(["a.png", "b.jpg"]).raise_for_errors():
            print(prediction.label, prediction.score)

Names are loaded when they are first used: a program that needs only the stubs in `saccade.v1`, such
as the server, does not load the client.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from saccade._aio import AsyncClient
    from saccade._errors import (
        DeadlineExceeded,
        ImagesFailed,
        InputError,
        InvalidArgument,
        NotFound,
        Overloaded,
        PermissionDenied,
        SaccadeError,
        ServerError,
        Unauthenticated,
        Unavailable,
    )
    from saccade._health import Health
    from saccade._models import (
        Evaluation,
        InputSpec,
        Model,
        ModelDetails,
        ModelVersion,
        Provenance,
        VersionState,
    )
    from saccade._options import ClientOptions, Tls
    from saccade._results import (
        Answer,
        ClassifyResult,
        ImageError,
        ModelRef,
        Prediction,
        ScoredClass,
        Timings,
    )
    from saccade._retry import RetryPolicy
    from saccade._streams import StreamAnswer, StreamRequest
    from saccade._sync import Client

__all__ = [
    "Answer",
    "AsyncClient",
    "ClassifyResult",
    "Client",
    "ClientOptions",
    "DeadlineExceeded",
    "Evaluation",
    "Health",
    "ImageError",
    "ImagesFailed",
    "InputError",
    "InputSpec",
    "InvalidArgument",
    "Model",
    "ModelDetails",
    "ModelRef",
    "ModelVersion",
    "NotFound",
    "Overloaded",
    "PermissionDenied",
    "Prediction",
    "Provenance",
    "RetryPolicy",
    "SaccadeError",
    "ScoredClass",
    "ServerError",
    "StreamAnswer",
    "StreamRequest",
    "Timings",
    "Tls",
    "Unauthenticated",
    "Unavailable",
    "VersionState",
]

# Each module imports those before it, so looking a name up loads no more than its own module needs.
_MODULES = (
    "_errors",
    "_health",
    "_retry",
    "_options",
    "_results",
    "_models",
    "_streams",
    "_sync",
    "_aio",
)


def __getattr__(name: str) -> object:
    if name in __all__:
        for module in _MODULES:
            found = vars(import_module(f"saccade.{module}")).get(name)
            if found is not None:
                globals()[name] = found
                return found
    raise AttributeError(f"module 'saccade' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
