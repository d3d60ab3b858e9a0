"""The Triton of `make bench`: it answers what the model should, or the comparison means nothing."""

from pathlib import Path

import grpc
import numpy as np
import pytest

from benchmarks.contenders import running
from benchmarks.grpc_request import INFERENCE
from benchmarks.triton import INSTALLED, triton_contenders
from saccade.v1 import classifier_pb2 as pb
from saccade_server.artifact import read_artifact
from saccade_server.imaging import decode_image

LARGEST_DIFFERENCE = 1e-4


@pytest.mark.skipif(not INSTALLED.exists(), reason="needs Triton: make triton")
@pytest.mark.timeout(300)
def test_triton_gives_the_golden_samples_probabilities(artifact: Path) -> None:
    """With one instance and with two, for a request of several images."""
    read = read_artifact(artifact)
    samples = read.golden_samples()
    height, width, channels = read.input.shape
    pixels = [decode_image(sample.image, read.input).tobytes() for sample in samples]
    tensors = [
        pb.PixelTensor(height=height, width=width, channels=channels, data=data) for data in pixels
    ]
    message = pb.ClassifyRequest(images=[pb.Image(pixels=each) for each in tensors])

    with running([(contender, artifact) for contender in triton_contenders()]) as servers:
        for server in servers:
            with grpc.insecure_channel(server.address) as channel:
                call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
                    INFERENCE.path
                )
                answer = call(INFERENCE.encode(message), timeout=30)
            for scores, sample in zip(INFERENCE.decode(answer), samples, strict=True):
                found = [scores[index] for index in range(len(scores))]
                np.testing.assert_allclose(found, sample.probabilities, atol=LARGEST_DIFFERENCE)
