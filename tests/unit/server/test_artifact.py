"""Reading and checking of artifacts."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fixtures.manifests import minimal_manifest, write_artifact
from saccade.v1 import manifest_pb2 as pb
from saccade_server import artifact as layout
from saccade_server.artifact import ColorSpace, read_artifact, write_manifest
from saccade_server.errors import ArtifactError

Change = Callable[[pb.Manifest], object]


def refusal(folder: Path) -> str:
    """The text with which an artifact is refused, without its folder."""
    with pytest.raises(ArtifactError) as refused:
        read_artifact(folder)
    return str(refused.value).replace(f"{folder}/", "").replace(str(folder), "it")


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """The manifest comes back as it was, with its format and checksums filled in."""
    manifest = minimal_manifest()
    write_artifact(tmp_path / "1", manifest)

    assert manifest == read_artifact(tmp_path / "1").manifest


def test_a_pipe_is_no_manifest(tmp_path: Path) -> None:
    """Whoever opened it would wait for ever."""
    folder = write_artifact(tmp_path / "1")
    (folder / layout.MANIFEST).unlink()
    os.mkfifo(folder / layout.MANIFEST)

    assert f"{layout.MANIFEST} is no file" == refusal(folder)


def test_a_pipe_is_no_golden_sample(tmp_path: Path) -> None:
    """As above."""
    manifest = minimal_manifest()
    manifest.golden.samples.add(path="pipe", probabilities=[0.5, 0.5])
    artifact = read_artifact(write_artifact(tmp_path / "1", manifest))
    os.mkfifo(artifact.path / layout.ASSETS / "pipe")

    with pytest.raises(ArtifactError, match="pipe is no file"):
        artifact.golden_samples()


def test_the_format_is_filled_in(tmp_path: Path) -> None:
    """Writers cannot get it wrong."""
    assert read_artifact(write_artifact(tmp_path / "1")).manifest.format == layout.FORMAT


def test_a_field_of_a_newer_writer_is_passed_over(tmp_path: Path) -> None:
    """Fields are only ever added, so what is not known does no harm."""
    folder = write_artifact(tmp_path / "1")
    file = folder / layout.MANIFEST
    file.write_text(file.read_text().replace("{", '{"mood": "good",', 1))

    assert "tiny" == read_artifact(folder).manifest.model


def test_without_a_graph_it_is_no_artifact(tmp_path: Path) -> None:
    """The text says what may have happened."""
    folder = write_artifact(tmp_path / "1")
    (folder / layout.GRAPH).unlink()

    expected = "it has no saved_model.pb: it is not a SavedModel, or not copied whole"
    assert expected == refusal(folder)


def test_without_a_manifest_it_is_no_artifact(tmp_path: Path) -> None:
    """The text names the file."""
    folder = write_artifact(tmp_path / "1")
    (folder / layout.MANIFEST).unlink()

    assert refusal(folder).startswith(f"{layout.MANIFEST}: [Errno 2] No such file")


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"format": "one"}', b'{"class_labels": 3}', b"[" * 100_000],
    ids=["empty", "cut", "list", "no text", "text for a number", "number for a list", "deep"],
)
def test_a_manifest_of_another_form_is_refused(tmp_path: Path, text: bytes) -> None:
    """The text names the file; whatever the file holds, nothing else is raised."""
    folder = write_artifact(tmp_path / "1")
    (folder / layout.MANIFEST).write_bytes(text)

    assert refusal(folder).startswith(layout.MANIFEST)


@pytest.mark.parametrize("number", [0, 2, -1])
def test_a_manifest_of_another_format_is_refused(tmp_path: Path, number: int) -> None:
    """An old reader would be wrong about it."""
    folder = write_artifact(tmp_path / "1")
    file = folder / layout.MANIFEST
    file.write_text(file.read_text().replace('"format": 1', f'"format": {number}'))

    expected = f"{layout.MANIFEST} is of format {number}, this server reads 1 to 1"
    assert expected == refusal(folder)


def test_a_huge_manifest_is_not_read(tmp_path: Path) -> None:
    """Its size is looked at first; the file here is all hole."""
    folder = write_artifact(tmp_path / "1")
    with (folder / layout.MANIFEST).open("r+b") as file:
        file.truncate(layout.MAX_MANIFEST_BYTES + 1)

    assert f"{layout.MANIFEST} is larger than 16777216 bytes" == refusal(folder)


WRONG: dict[str, tuple[Change, str]] = {
    "no labels": (lambda m: m.ClearField("class_labels"), "class_labels has 0 entries"),
    "no activation": (
        lambda m: m.output.ClearField("activation"),
        "output.activation is missing or unknown",
    ),
    "unknown activation": (
        lambda m: setattr(m.output, "activation", 99),
        "output.activation is missing or unknown",
    ),
    "no height": (lambda m: m.input.ClearField("height"), "input is 0 x 1, not 1 to 8192"),
    "large width": (lambda m: setattr(m.input, "width", 8193), "input is 1 x 8193, not 1 to 8192"),
    "no color space": (
        lambda m: m.input.ClearField("color_space"),
        "input.color_space, data_type or resize is missing or unknown",
    ),
    "unknown data type": (
        lambda m: setattr(m.input, "data_type", 77),
        "input.color_space, data_type or resize is missing or unknown",
    ),
    "no resize": (
        lambda m: m.input.ClearField("resize"),
        "input.color_space, data_type or resize is missing or unknown",
    ),
    "no range": (
        lambda m: m.input.ClearField("pixel_range"),
        "input.pixel_range is missing or empty",
    ),
    "range of nothing": (
        lambda m: m.input.pixel_range.MergeFrom(pb.PixelRange(black=255)),
        "input.pixel_range is missing or empty",
    ),
    "too many means": (
        lambda m: m.input.pixel_range.mean.extend([1, 2, 3]),
        "input.pixel_range needs 1 means and non-zero stds",
    ),
    "std of zero": (
        lambda m: m.input.pixel_range.std.append(0),
        "input.pixel_range needs 1 means and non-zero stds",
    ),
    "infinite white": (
        lambda m: setattr(m.input.pixel_range, "white", float("inf")),
        "input.pixel_range is not finite",
    ),
    "mean that is no number": (
        lambda m: m.input.pixel_range.mean.append(float("nan")),
        "input.pixel_range is not finite",
    ),
    "std of next to nothing": (
        lambda m: m.input.pixel_range.std.append(1e-40),
        "input.pixel_range leads to values beyond float32",
    ),
    "bytes that are to be scaled": (
        lambda m: m.input.MergeFrom(
            pb.InputSpec(data_type=pb.DATA_TYPE_UINT8, pixel_range=pb.PixelRange(white=1))
        ),
        "a uint8 input needs the pixel range 0 to 255",
    ),
    "golden sample of other classes": (
        lambda m: m.golden.samples.add(path="golden/0.png", probabilities=[1.0]),
        "golden sample golden/0.png has 1 probabilities for 2 classes",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_manifest_is_refused(tmp_path: Path, case: str) -> None:
    """The text names the file and the field."""
    change, expected = WRONG[case]
    manifest = minimal_manifest()
    change(manifest)
    folder = write_artifact(tmp_path / "1", manifest)

    assert f"{layout.MANIFEST}: {expected}" == refusal(folder)


def test_the_usual_signature_need_not_be_named(tmp_path: Path) -> None:
    """It is that of nearly every SavedModel."""
    assert "serving_default" == read_artifact(write_artifact(tmp_path / "1")).input.signature


def test_range_mean_and_std_become_one_step(tmp_path: Path) -> None:
    """(black + pixel * (white - black) / 255 - mean) / std, for each channel, for any pixel."""
    manifest = minimal_manifest()
    manifest.input.color_space = pb.COLOR_SPACE_RGB
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    manifest.input.pixel_range.CopyFrom(pb.PixelRange(black=-1, white=1, mean=mean, std=std))
    spec = read_artifact(write_artifact(tmp_path / "1", manifest)).input
    pixel = np.array([[0.0], [100.0], [255.0]])
    expected = (-1 + pixel * 2 / 255 - mean) / std

    assert pytest.approx(expected, abs=1e-5) == pixel * spec.scale + spec.offset


@pytest.mark.parametrize(
    ("white", "mean", "expected"), [(255, [], True), (1, [], False), (255, [1.0], False)]
)
def test_it_is_known_whether_pixels_are_taken_as_they_are(
    tmp_path: Path, white: float, mean: list[float], expected: bool
) -> None:
    """Only with the range 0 to 255 and nothing to subtract."""
    manifest = minimal_manifest()
    manifest.input.pixel_range.CopyFrom(pb.PixelRange(white=white, mean=mean))

    assert expected == read_artifact(write_artifact(tmp_path / "1", manifest)).input.takes_pixels


@pytest.mark.parametrize(
    ("color_space", "expected"),
    [(ColorSpace.GRAY, (1, 1, 1)), (ColorSpace.RGB, (1, 1, 3)), (ColorSpace.BGR, (1, 1, 3))],
)
def test_the_shape_has_the_channels_of_the_color_space(
    tmp_path: Path, color_space: ColorSpace, expected: tuple[int, int, int]
) -> None:
    """Height, width, channels."""
    manifest = minimal_manifest()
    manifest.input.color_space = getattr(pb, f"COLOR_SPACE_{color_space.name}")

    assert expected == read_artifact(write_artifact(tmp_path / "1", manifest)).input.shape


@pytest.mark.parametrize(
    ("activation", "logits"),
    [(pb.ACTIVATION_PROBABILITIES, False), (pb.ACTIVATION_LOGITS, True)],
)
def test_it_is_known_what_the_output_is(
    tmp_path: Path, activation: pb.Activation, logits: bool
) -> None:
    """Logits get a softmax, probabilities do not."""
    manifest = minimal_manifest()
    manifest.output.activation = activation

    assert logits == read_artifact(write_artifact(tmp_path / "1", manifest)).output.logits


def test_a_manifest_can_be_written_again(tmp_path: Path) -> None:
    """Its checksums are those of the files as they are then."""
    folder = write_artifact(tmp_path / "1")
    (folder / layout.GRAPH).write_bytes(b"another graph")
    write_manifest(folder, read_artifact(folder).manifest)

    assert layout.verify_files(read_artifact(folder)) is None  # type: ignore[func-returns-value]
