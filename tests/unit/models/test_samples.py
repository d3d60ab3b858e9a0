import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from saccade_models.datasets import Dataset
from saccade_models.errors import ConfigError, ModelsError
from saccade_models.samples import write_samples


def test_the_truth_is_in_the_name(digits: Dataset, tmp_path: Path) -> None:
    """It follows the first dash."""
    files = write_samples(digits, 12, tmp_path)

    assert digits.test.labels[:12].tolist() == [int(file.stem.partition("-")[2]) for file in files]


def test_a_slash_in_a_label_is_a_dash_in_the_name(digits: Dataset, tmp_path: Path) -> None:
    """A label is text, not a path."""
    labels = tuple(f"../{label}" for label in digits.class_labels)

    files = write_samples(dataclasses.replace(digits, class_labels=labels), 1, tmp_path)

    assert [tmp_path / f"0000-..-{digits.test.labels[0]}.png"] == files


def test_the_pictures_are_those_of_the_test_split(digits: Dataset, tmp_path: Path) -> None:
    """PNG loses nothing."""
    files = write_samples(digits, 3, tmp_path / "new")

    pictures = np.stack([np.asarray(Image.open(file)) for file in files])

    assert np.array_equal(digits.test.images[:3][..., 0], pictures)


@pytest.mark.parametrize("count", [0, 361])
def test_an_impossible_count_is_refused(digits: Dataset, tmp_path: Path, count: int) -> None:
    """The text says how many there are."""
    with pytest.raises(ConfigError) as caught:
        write_samples(digits, count, tmp_path)

    assert f"count must be 1 to 360, the test split of digits, got {count}" == str(caught.value)


def test_a_folder_that_cannot_be_written_is_told(digits: Dataset, tmp_path: Path) -> None:
    """The text says which and why."""
    (tmp_path / "file").write_text("")

    with pytest.raises(ModelsError) as caught:
        write_samples(digits, 1, tmp_path / "file" / "samples")

    assert f"cannot write to {tmp_path}/file/samples: Not a directory" == str(caught.value)
