"""The data sets that can be trained on, by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from saccade_models.datasets.digits import load_digits
from saccade_models.datasets.splits import Dataset, Split
from saccade_models.errors import ConfigError

__all__ = ["DATASETS", "Dataset", "Source", "Split", "load_dataset"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A data set before it is loaded."""

    name: str
    summary: str
    load: Callable[[], Dataset]


DATASETS: Mapping[str, Source] = MappingProxyType(
    {
        source.name: source
        for source in [
            Source(
                name="digits",
                summary="1,797 handwritten digits, 28 x 28 gray, embedded in scikit-learn",
                load=load_digits,
            )
        ]
    }
)


def load_dataset(name: str) -> Dataset:
    """Loads a data set with its fixed splits.

    Raises:
        ConfigError: There is no data set of that name.
    """
    if name not in DATASETS:
        raise ConfigError(f"dataset must be one of {', '.join(DATASETS)}, got {name!r}")
    return DATASETS[name].load()
