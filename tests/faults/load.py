"""Callers that go on asking while versions come and go."""

import threading
import time
from collections import Counter
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray

from fixtures.server_process import ServerProcess
from saccade.v1 import classifier_pb2 as pb
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub

TOLERANCE = 1e-4
BOUND_S = 60.0


class Load:
    """Callers that ask without a pause, and keep what they were told.

    Attributes:
        seen: Answers by the version that they name.
        wrong: Answers that are not that version's.
        failed: Requests that got none.
    """

    def __init__(self, address: str, image: bytes) -> None:
        self.seen: Counter[int] = Counter()
        self.wrong: list[tuple[int, list[float]]] = []
        self.failed: list[str] = []
        self._address = address
        self._request = pb.ClassifyRequest(images=[pb.Image(encoded=image)], top_k=10)
        self._expected: dict[int, NDArray[np.float32]] = {}
        self._going_on = threading.Event()
        self._going_on.set()

    def expect(self, version: int, scores: NDArray[np.float32]) -> None:
        """Says what a version gives, before it comes."""
        self._expected[version] = scores

    def wait_for(self, version: int, answers: int, server: ServerProcess) -> None:
        """Waits until a version has given so many answers."""
        end = time.monotonic() + BOUND_S
        while self.seen[version] < answers:
            assert time.monotonic() < end, f"version {version}: {self.seen}\n{server.log[-4000:]}"
            time.sleep(0.02)

    def stop(self) -> None:
        """Lets the callers end."""
        self._going_on.clear()

    def ask(self) -> None:
        """One caller."""
        with grpc.insecure_channel(self._address) as channel:
            stub: Any = ImageClassifierStub(channel)
            while self._going_on.is_set():
                try:
                    self._check(stub.Classify(self._request, timeout=20))
                except grpc.RpcError as error:
                    self.failed.append(str(error))

    def _check(self, answer: pb.ClassifyResponse) -> None:
        version = answer.model.version
        scores = np.zeros(10, np.float32)
        for each in answer.results[0].classification.classes:
            scores[each.index] = each.score
        if np.abs(scores - self._expected[version]).max() > TOLERANCE:
            self.wrong.append((version, scores.tolist()))
        self.seen[version] += 1
