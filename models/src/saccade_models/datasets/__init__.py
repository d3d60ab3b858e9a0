"""The data sets that can be trained on, by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from saccade_models.datasets.cifar10 import load_cifar10
from saccade_models.datasets.digits import load_digits
from saccade_models.datasets.mnist import load_fashion_mnist, load_mnist
from saccade_models.datasets.splits import Dataset, Split
from saccade_models.errors import ConfigError

__all__ = ["DATASETS", "Dataset", "Source", "Split", "load_dataset"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A data set before it is loaded.

    Attributes:
        name: What it is called by.
        summary: What it holds, and where it comes from.
        load: Takes the folder that holds it; None downloads it, or takes what is embedded.
        embedded: It takes no folder.
    """

    name: str
    summary: str
    load: Callable[[Path | None], Dataset]
    embedded: bool = False


DATASETS: Mapping[str, Source] = MappingProxyType(
    {
        source.name: source
        for source in [
            Source(
                name="digits",
                summary="1,797 handwritten digits, 28 x 28 gray, embedded in scikit-learn",
                load=lambda _: load_digits(),
                embedded=True,
            ),
            Source(
                name="mnist",
                summary="70,000 handwritten digits, 28 x 28 gray, in --data-dir or downloaded",
                load=load_mnist,
            ),
            Source(
                name="fashion-mnist",
                summary="70,000 pieces of clothing, 28 x 28 gray, in --data-dir or downloaded",
                load=load_fashion_mnist,
            ),
            Source(
                name="cifar10",
                summary="60,000 photographs, 32 x 32 RGB, in --data-dir or downloaded",
                load=load_cifar10,
            ),
        ]
    }
)


def load_dataset(name: str, data_dir: Path | None = None) -> Dataset:
    """Loads a data set with its fixed splits.

    Args:
        name: one of DATASETS.
        data_dir: the folder that holds it; None downloads what is not embedded.

    Raises:
        ConfigError: There is no data set of that name, or it takes no folder.
        ModelsError: It can't be read or downloaded.
    """
    if name not in DATASETS:
        raise ConfigError(f"dataset must be one of {', '.join(DATASETS)}, got {name!r}")
    source = DATASETS[name]
    if source.embedded and data_dir is not None:
        raise ConfigError(f"{name} is embedded and takes no data-dir")
    return source.load(data_dir)
