"""What the requests of a batch are answered with when its call has ended."""

import numpy as np
from numpy.typing import NDArray

from saccade_server.batching.line import Entry, Scores
from saccade_server.batching.worker import Outcome


def answer(batch: list[Entry], probabilities: NDArray[np.float32], outcome: Outcome) -> None:
    """Gives each request of a batch its rows; shape (n, K), in the batch's order."""
    start, seconds, images = 0, outcome.finished - outcome.started, len(probabilities)
    for entry in batch:
        end = start + len(entry.images)
        if not entry.answer.done():
            queued_s = outcome.started - entry.queued
            entry.answer.set_result(
                Scores(probabilities[start:end], queued_s, seconds, images, outcome.started)
            )
        start = end


def fail(entry: Entry, error: Exception | None) -> None:
    """Tells a request what its call failed with."""
    if not entry.answer.done():
        entry.answer.set_exception(error or RuntimeError("an engine call ended without a result"))


def join(parts: list[Scores]) -> Scores:
    """One answer from those of a split request."""
    return Scores(
        np.concatenate([part.probabilities for part in parts]),
        min(part.queue_s for part in parts),
        sum(part.inference_s for part in parts),
        max(part.batch_images for part in parts),
        min(part.started for part in parts),
    )
