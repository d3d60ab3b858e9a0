"""Models and health over real sockets, with both clients."""

import grpc
import pytest

import saccade
from integration.client.conftest import Asking, Connect
from integration.client.servers import EchoClassifier, Failure
from saccade import ClientOptions, Health, RetryPolicy, VersionState


async def test_models_are_listed_with_their_versions(asking: Asking) -> None:
    """Those that failed too, with the reason."""
    (model,) = await asking.list_models()

    assert [(4, VersionState.FAILED, "no manifest"), (3, VersionState.READY, "")] == [
        (version.version, version.state, version.reason) for version in model.versions
    ]


async def test_a_version_is_shown_in_detail(asking: Asking, classifier: EchoClassifier) -> None:
    """Also one of so many classes that gRPC's own limit would stop the answer."""
    classifier.class_labels = tuple(f"class {number:060}" for number in range(80_000))
    details = await asking.get_model("echo")

    assert ("echo/3", classifier.class_labels) == (str(details.model), details.class_labels)


async def test_an_unknown_model_is_not_found(asking: Asking) -> None:
    """By its code."""
    with pytest.raises(saccade.NotFound):
        await asking.get_model("no such model")


@pytest.mark.parametrize(
    ("model", "expected"),
    [(None, Health.SERVING), ("echo", Health.SERVING), ("sick", Health.NOT_SERVING)],
)
async def test_health_is_that_of_the_server_or_of_a_model(
    asking: Asking, model: str | None, expected: Health
) -> None:
    """As grpc.health.v1's own implementation answers."""
    assert expected == await asking.health(model)


async def test_the_health_of_an_unknown_model_is_an_error(asking: Asking) -> None:
    """A probe with a wrong name must not pass."""
    with pytest.raises(saccade.NotFound):
        await asking.health("no such model")


@pytest.mark.parametrize("method", ["list_models", "get_model"])
async def test_reading_is_retried(
    connect: Connect, server: str, classifier: EchoClassifier, method: str
) -> None:
    """It changes nothing."""
    classifier.failures = [Failure(grpc.StatusCode.UNAVAILABLE)]
    options = ClientOptions(retry=RetryPolicy(initial_backoff_s=0.001))
    arguments = ["echo"] if method == "get_model" else []
    await getattr(connect(server, options), method)(*arguments)

    assert [] == classifier.failures
