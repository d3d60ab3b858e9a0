"""Pictures to try a server with: a data set's test split as image files."""

from pathlib import Path

from saccade_models.datasets import Dataset
from saccade_models.errors import ConfigError, ModelsError
from saccade_models.golden import encode_png


def write_samples(dataset: Dataset, count: int, folder: Path) -> list[Path]:
    """Writes the first images of the test split, which is shuffled, as PNG files.

    The names are `<position>-<class label>.png`, such as `0007-3.png`: the truth is what follows
    the first dash, with a dash for each slash.

    Args:
        dataset: whose test split to take.
        count: how many, 1 to the size of the test split.
        folder: is created where it is missing; files of the same name are replaced.

    Returns:
        The files, in order.

    Raises:
        ConfigError: `count` is out of range.
        ModelsError: The folder can't be written.
    """
    if not 1 <= count <= len(dataset.test):
        raise ConfigError(
            f"count must be 1 to {len(dataset.test)}, the test split of {dataset.name}, got {count}"
        )
    files = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for position in range(count):
            label = dataset.class_labels[dataset.test.labels[position]].replace("/", "-")
            file = folder / f"{position:04}-{label}.png"
            file.write_bytes(encode_png(dataset.test.images[position : position + 1][0]))
            files.append(file)
    except OSError as error:
        raise ModelsError(f"cannot write to {folder}: {error.strerror}") from error
    return files
