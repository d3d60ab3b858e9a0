"""Overload, deadlines and callers that have gone: what is refused, and what it costs."""

from typing import Any

from google.rpc import status_pb2

from fixtures.in_process import InProcessServer, request
from integration.server.failures import DETAILS, failed, failure, retry_after_s
from integration.server.load import block, fill
from saccade_server.errors import Code


async def test_a_full_queue_is_resource_exhausted(stub: Any, tiny: InProcessServer) -> None:
    """The text says how full it is."""
    await fill(tiny, stub)

    expected = "8 images are waiting, at most 8 may: try again later"
    assert ("RESOURCE_EXHAUSTED", expected) == await failure(stub.Classify(request(1), timeout=20))


async def test_a_full_queue_says_when_to_come_back(stub: Any, tiny: InProcessServer) -> None:
    """By google.rpc.RetryInfo, as clients know it."""
    await fill(tiny, stub)
    advice = retry_after_s(await failed(stub.Classify(request(1), timeout=20)))

    assert advice is not None
    assert advice > 0


async def test_a_large_request_is_refused_as_a_small_one(stub: Any, tiny: InProcessServer) -> None:
    """In the same words and counted once, whether or not its body has come."""
    await fill(tiny, stub)
    large = request(1)
    large.images[0].encoded = bytes(300_000)
    refused = await failure(stub.Classify(large, timeout=20))

    expected = "8 images are waiting, at most 8 may: try again later"
    counted = tiny.value("saccade_rejected_total", reason="queue_full")
    assert ("RESOURCE_EXHAUSTED", expected, 1.0) == (*refused, counted)


async def test_a_large_request_that_is_not_refused_is_answered(
    stub: Any, tiny: InProcessServer
) -> None:
    """Also right after others were, whose bodies were not waited for."""
    calls = await fill(tiny, stub)
    large = request(1)
    large.images[0].encoded = bytes(300_000)
    await failure(stub.Classify(large, timeout=20))
    tiny.engine.release()
    for call in calls:
        await call
    answer = await stub.Classify(large, timeout=20)

    assert "INVALID_ARGUMENT" == Code(answer.results[0].error.code).name


async def test_the_details_repeat_code_and_text(stub: Any, tiny: InProcessServer) -> None:
    """Clients that read only google.rpc.Status miss nothing."""
    await fill(tiny, stub)
    error = await failed(stub.Classify(request(1), timeout=20))
    packed = dict(error.trailing_metadata() or ())[DETAILS]
    status = status_pb2.Status.FromString(packed)

    assert (8, error.details()) == (status.code, status.message)


async def test_what_waits_is_answered_after_all(stub: Any, tiny: InProcessServer) -> None:
    """Refusing others is what makes that possible."""
    calls = await fill(tiny, stub)
    tiny.engine.release()
    answers = [await call for call in calls]

    assert [1, 4, 4] == [len(answer.results) for answer in answers]


async def test_a_deadline_that_cannot_be_met_is_resource_exhausted(
    stub: Any, tiny: InProcessServer
) -> None:
    """It is refused at once, and a retry elsewhere makes sense; nothing is computed."""
    tiny.engine.delay_s = 0.5
    await stub.Classify(request(1), timeout=20)
    tiny.engine.delay_s = 0.0
    tiny.engine.block()
    waiting = [stub.Classify(request(2), timeout=20) for _ in range(2)]
    await tiny.reach_queued(1)
    error = await failed(stub.Classify(request(99), timeout=0.8))
    tiny.engine.release()
    for call in waiting:
        await call

    assert ("RESOURCE_EXHAUSTED", False) == (error.code().name, [99] in tiny.engine.batches)


async def test_a_deadline_that_passes_in_the_queue_is_deadline_exceeded(
    stub: Any, tiny: InProcessServer
) -> None:
    """The caller is told in time."""
    await block(tiny, stub)
    code, _ = await failure(stub.Classify(request(99), timeout=0.1))

    assert "DEADLINE_EXCEEDED" == code


async def test_a_deadline_that_passes_in_the_queue_costs_no_compute(
    stub: Any, tiny: InProcessServer
) -> None:
    """The engine never sees the images."""
    first = await block(tiny, stub)
    late = stub.Classify(request(99), timeout=0.3)
    await tiny.reach_queued(1)
    await failed(late)
    await tiny.reach_queued(0)  # The server's clock was started later than the client's.
    tiny.engine.release()
    await first
    await stub.Classify(request(3), timeout=20)

    assert [[0], [3]] == tiny.engine.batches


async def test_a_deadline_in_the_past_costs_no_compute(stub: Any, tiny: InProcessServer) -> None:
    """Whether the client or the server notices it first."""
    code, _ = await failure(stub.Classify(request(99), timeout=-1))

    assert ("DEADLINE_EXCEEDED", []) == (code, tiny.engine.batches)


async def test_a_call_whose_caller_has_gone_costs_no_compute(
    stub: Any, tiny: InProcessServer
) -> None:
    """It leaves the queue at once."""
    first = await block(tiny, stub)
    gone = stub.Classify(request(99), timeout=20)
    gone.add_done_callback(lambda _: None)
    await tiny.reach_queued(1)
    gone.cancel()
    await tiny.reach_queued(0)
    tiny.engine.release()
    await first
    await stub.Classify(request(3), timeout=20)

    assert [[0], [3]] == tiny.engine.batches


async def test_a_call_whose_caller_has_gone_is_counted_as_cancelled(
    stub: Any, tiny: InProcessServer
) -> None:
    """Neither as a success nor as an error of ours."""
    await block(tiny, stub)
    gone = stub.Classify(request(99), timeout=20)
    gone.add_done_callback(lambda _: None)
    await tiny.reach_queued(1)
    gone.cancel()
    labels = {"api": "saccade", "method": "Classify", "model": "tiny", "code": "CANCELLED"}
    await tiny.reach(1, "saccade_requests_total", **labels)

    assert 1 == tiny.value("saccade_requests_total", **labels)
