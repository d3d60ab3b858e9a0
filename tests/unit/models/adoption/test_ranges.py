import numpy as np
import pytest

from saccade.v1 import manifest_pb2
from saccade_models.adoption.ranges import RANGES, Preprocessing
from saccade_server.artifact import ColorSpace
from saccade_server.artifact.specs import read_input_spec
from saccade_server.imaging import graph_values

MODES = {"unit": None, "signed": "tf", "torch": "torch", "caffe": "caffe"}


@pytest.mark.parametrize("name", [name for name in MODES if MODES[name]])
def test_a_range_is_what_keras_applications_does(name: str) -> None:
    """Our numbers against Keras's own preprocessing, pixel by pixel."""
    import keras

    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3)).astype(np.uint8)
    # Keras's mode caffe turns the colors round, ours is told so.
    color = ColorSpace.BGR if name == "caffe" else ColorSpace.RGB
    expected = keras.applications.imagenet_utils.preprocess_input(
        pixels.astype(np.float32), data_format="channels_last", mode=MODES[name]
    )
    chosen = Preprocessing(range=RANGES[name], color_space=color)
    spec = manifest_pb2.InputSpec(
        height=4, width=4,
        color_space=manifest_pb2.COLOR_SPACE_BGR if name == "caffe"
        else manifest_pb2.COLOR_SPACE_RGB,
        data_type=manifest_pb2.DATA_TYPE_FLOAT32,
        resize=manifest_pb2.RESIZE_RULE_BILINEAR,
        pixel_range=chosen.pixel_range,
    )  # fmt: skip
    given = pixels[..., ::-1] if name == "caffe" else pixels

    np.testing.assert_allclose(
        graph_values(given, read_input_spec(spec, "test")), expected, 1e-4, 1e-4
    )


def test_a_mean_of_three_does_not_fit_gray() -> None:
    """A number for all channels does."""
    assert (False, True) == tuple(
        RANGES[name].fits(ColorSpace.GRAY) for name in ("torch", "signed")
    )
