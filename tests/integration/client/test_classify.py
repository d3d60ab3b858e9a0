"""Classification over real sockets, with both clients."""

import asyncio
import math
import threading
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from PIL import Image

import saccade
from integration.client.conftest import Asking, Connect
from integration.client.servers import BROKEN, HELD, REFUSED, EchoClassifier, Failure
from saccade import ClassifyResult, ClientOptions, RetryPolicy

QUICK = RetryPolicy(initial_backoff_s=0.001, max_backoff_s=0.01)


def labels(result: ClassifyResult) -> list[str]:
    return [prediction.label for prediction in result.raise_for_errors()]


async def test_images_of_all_kinds_come_back_in_order(asking: Asking, tmp_path: Path) -> None:
    """Each with its own prediction."""
    file = tmp_path / "a.png"
    file.write_bytes(b"file")
    images: list[Any] = [file, b"bytes", np.zeros((2, 5), np.uint8), Image.new("RGB", (7, 4))]

    assert ["file", "bytes", "2 x 5", "4 x 7"] == labels(await asking.classify(images))


async def test_the_answer_names_the_model_that_gave_it(asking: Asking) -> None:
    """Also when the caller left the choice to the server."""
    (prediction,) = (await asking.classify(b"a")).raise_for_errors()

    assert "echo/3" == str(prediction.model)


async def test_the_callers_choices_reach_the_server(
    asking: Asking, classifier: EchoClassifier
) -> None:
    """Model, label, classes, id."""
    await asking.classify(b"a", model="echo", label="stable", top_k=2, request_id="r-7")
    (request,) = classifier.requests

    assert ("echo", "stable", 2, "r-7") == (
        request.model.name,
        request.model.label,
        request.top_k,
        request.request_id,
    )


async def test_one_bad_image_does_not_disturb_its_neighbours(asking: Asking) -> None:
    """It is a value in its place."""
    result = await asking.classify([b"a", BROKEN, b"c"])

    assert ["a", grpc.StatusCode.INVALID_ARGUMENT, "c"] == [
        outcome.code if isinstance(outcome, saccade.ImageError) else outcome.label
        for outcome in result
    ]


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, saccade.InvalidArgument),
        (grpc.StatusCode.NOT_FOUND, saccade.NotFound),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, saccade.Overloaded),
        (grpc.StatusCode.DEADLINE_EXCEEDED, saccade.DeadlineExceeded),
        (grpc.StatusCode.UNAVAILABLE, saccade.Unavailable),
        (grpc.StatusCode.UNAUTHENTICATED, saccade.Unauthenticated),
        (grpc.StatusCode.PERMISSION_DENIED, saccade.PermissionDenied),
        (grpc.StatusCode.INTERNAL, saccade.ServerError),
        (grpc.StatusCode.CANCELLED, saccade.ServerError),
    ],
)
async def test_each_code_is_an_error_of_its_own(
    connect: Connect,
    server: str,
    classifier: EchoClassifier,
    code: grpc.StatusCode,
    kind: type[saccade.SaccadeError],
) -> None:
    """With the server's code and the request's id. CANCELLED does not cancel the caller's task."""
    classifier.failures = [Failure(code, "what to do")]
    asking = connect(server, ClientOptions(retry=RetryPolicy(max_attempts=1)))
    with pytest.raises(kind) as caught:
        await asking.classify(b"a", request_id="r-7")

    assert (kind, code, "r-7") == (type(caught.value), caught.value.code, caught.value.request_id)


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED])
async def test_a_short_absence_goes_unnoticed(
    connect: Connect, server: str, classifier: EchoClassifier, code: grpc.StatusCode
) -> None:
    """The call is made again, under the same id."""
    classifier.failures = [Failure(code)] * 2
    await connect(server, ClientOptions(retry=QUICK)).classify(b"a", request_id="r-7")

    assert ["r-7"] * 3 == [request.request_id for request in classifier.requests]


async def test_an_overloaded_server_is_asked_again_when_it_says(
    connect: Connect, server: str, classifier: EchoClassifier
) -> None:
    """RetryInfo makes RESOURCE_EXHAUSTED a matter of waiting."""
    classifier.failures = [Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, retry_after_s=0.05)]
    await connect(server, ClientOptions(retry=QUICK)).classify(b"a")
    first, second = classifier.arrived_s

    assert second - first >= 0.05


async def test_without_retry_info_an_overloaded_server_is_left_alone(
    asking: Asking, classifier: EchoClassifier
) -> None:
    """It has not said that trying again is of use."""
    classifier.failures = [Failure(grpc.StatusCode.RESOURCE_EXHAUSTED)]
    with pytest.raises(saccade.Overloaded):
        await asking.classify(b"a")

    assert 1 == len(classifier.requests)


async def test_nobody_waits_beyond_the_deadline(asking: Asking, classifier: EchoClassifier) -> None:
    """The caller learns at once when to come back."""
    classifier.failures = [Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, retry_after_s=60)]
    with pytest.raises(saccade.Overloaded) as caught:
        await asking.classify(b"a", timeout=5)

    assert (60, 1) == (caught.value.retry_after_s, len(classifier.requests))


async def test_a_call_ends_at_its_deadline(asking: Asking, classifier: EchoClassifier) -> None:
    """And the server is told to give it up."""
    with pytest.raises(saccade.DeadlineExceeded):
        await asking.classify(HELD, timeout=0.2)

    assert await asyncio.to_thread(classifier.given_up.wait, 5)


@pytest.mark.parametrize("seconds", [None, 3.0], ids=["the options'", "the call's"])
async def test_the_server_knows_the_deadline(
    connect: Connect, server: str, classifier: EchoClassifier, seconds: float | None
) -> None:
    """So that it spends nothing on late answers."""
    await connect(server, ClientOptions(timeout_s=5)).classify(b"a", timeout=seconds)
    (left,) = classifier.seconds_left

    assert left == pytest.approx(seconds or 5, abs=0.9)


async def test_a_call_may_be_without_deadline(asking: Asking, classifier: EchoClassifier) -> None:
    """On demand only."""
    await asking.classify(b"a", timeout=math.inf)
    (left,) = classifier.seconds_left

    # grpcio's server shows "none" as the largest time there is.
    assert left is None or left > 1e9


async def test_a_long_list_looks_like_one_call(
    connect: Connect, server: str, classifier: EchoClassifier
) -> None:
    """Though it travels as several requests."""
    asking = connect(server, ClientOptions(max_request_images=2))
    images = [str(number).encode() for number in range(9)]
    result = await asking.classify(images)

    assert (list("012345678"), 5) == (labels(result), len(classifier.requests))


async def test_the_parts_of_a_list_travel_together(
    connect: Connect, server: str, classifier: EchoClassifier
) -> None:
    """Each of them is answered only once all three have arrived."""
    classifier.meeting = threading.Barrier(3)
    asking = connect(server, ClientOptions(max_request_images=1, max_concurrent_requests=3))

    assert ["a", "b", "c"] == labels(await asking.classify([b"a", b"b", b"c"]))


async def test_only_so_many_parts_travel_together(
    connect: Connect, server: str, classifier: EchoClassifier
) -> None:
    """A hundred thousand images do not storm the server."""
    asking = connect(server, ClientOptions(max_request_images=1, max_concurrent_requests=3))
    await asking.classify([b"a"] * 30)

    assert classifier.most_at_once <= 3


async def test_each_part_is_retried_on_its_own(
    connect: Connect, server: str, classifier: EchoClassifier
) -> None:
    """The others need not be computed twice."""
    classifier.failures = [Failure(grpc.StatusCode.UNAVAILABLE)]
    asking = connect(server, ClientOptions(max_request_images=1, retry=QUICK))
    await asking.classify([b"a", b"b", b"c"])

    assert 4 == len(classifier.requests)


async def test_a_part_that_fails_takes_the_others_with_it(
    connect: Connect, server: str, classifier: EchoClassifier
) -> None:
    """Their answers are of no use any more: the caller does not wait, the server is told."""
    asking = connect(server, ClientOptions(max_request_images=1))
    with pytest.raises(saccade.NotFound):
        await asking.classify([HELD, REFUSED], timeout=math.inf)

    assert await asyncio.to_thread(classifier.given_up.wait, 5)


async def test_a_cancelled_task_cancels_its_call(server: str, classifier: EchoClassifier) -> None:
    """As asyncio's users expect, and without an error of ours in its place."""
    async with saccade.AsyncClient(server) as client:
        call = asyncio.create_task(client.classify(HELD))
        await asyncio.to_thread(classifier.holding.wait, 5)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    assert await asyncio.to_thread(classifier.given_up.wait, 5)


async def test_a_closed_client_gives_its_calls_up(
    connect: Connect, server: str, classifier: EchoClassifier
) -> None:
    """With an error; the tasks that made them are not cancelled."""
    asking = connect(server)
    call = asyncio.create_task(asking.classify(HELD))
    await asyncio.to_thread(classifier.holding.wait, 5)
    await asking.close()
    with pytest.raises(saccade.ServerError) as caught:
        await call

    assert grpc.StatusCode.CANCELLED == caught.value.code


async def test_a_file_that_is_none_keeps_the_list_at_home(
    asking: Asking, classifier: EchoClassifier
) -> None:
    """A wrong input is found before anything is sent."""
    with pytest.raises(saccade.InputError, match="image 1"):
        await asking.classify([b"a", "no such file"])

    assert [] == classifier.requests


async def test_a_message_beyond_the_servers_limit_is_not_sent_again(asking: Asking) -> None:
    """It is refused with a code that otherwise means a full queue; no delay tells the two apart."""
    with pytest.raises(saccade.Overloaded) as caught:
        await asking.classify(bytes(5 << 20))

    assert caught.value.retry_after_s is None
