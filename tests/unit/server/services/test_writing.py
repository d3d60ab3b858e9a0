"""Results that are written as bytes: they are what protobuf would have made."""

import numpy as np
import pytest

from saccade.v1 import classifier_pb2 as pb
from saccade_server.services.writing import ResultWriter, result

LABELS = ["zero", "", "\N{CAT}" * 50, *map(str, range(3, 400))]


@pytest.mark.parametrize("indices", [[0], [1, 0], [2, 300, 0], list(range(400))])
def test_a_result_reads_as_the_messages_it_stands_for(indices: list[int]) -> None:
    """With labels that are empty, long, and not ASCII, and numbers of several bytes."""
    scores = np.linspace(1, 0, len(indices), dtype=np.float32)

    response = pb.ClassifyResponse.FromString(ResultWriter(LABELS).classified(indices, scores))

    classes = [
        pb.ScoredClass(label=LABELS[index], index=index, score=score)
        for index, score in zip(indices, scores.tolist(), strict=True)
    ]
    classification = pb.Classification(classes=classes)
    assert [pb.ImageResult(classification=classification)] == list(response.results)


def test_results_follow_each_other() -> None:
    """Errors among classes, in order."""
    failed = pb.ImageResult(error=pb.Error(code=3, message="bad"))
    written = result(failed.SerializeToString())
    written += ResultWriter(LABELS).classified([0], np.ones(1, np.float32))
    response = pb.ClassifyResponse(request_id="kept")

    response.MergeFromString(written)

    outcomes = [each.WhichOneof("outcome") for each in response.results]
    assert (["error", "classification"], "kept") == (outcomes, response.request_id)
