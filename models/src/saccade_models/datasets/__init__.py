"""The data sets that can be trained on, by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from saccade_models.datasets.cifar10 import load_cifar10
from saccade_models.datasets.digits import load_digits
from saccade_models.datasets.folder import FolderSettings, load_folder
from saccade_models.datasets.form import COLORS, PictureForm, parse_size
from saccade_models.datasets.inventory import Tell
from saccade_models.datasets.mnist import load_fashion_mnist, load_mnist
from saccade_models.datasets.splits import Dataset, Images, Split
from saccade_models.errors import ConfigError

__all__ = [
    "COLORS",
    "DATASETS",
    "Dataset",
    "Images",
    "PictureForm",
    "Source",
    "Split",
    "load_dataset",
    "parse_size",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A data set before it is loaded.

    Attributes:
        name: What it is called by.
        summary: What it holds, and where it comes from.
        load: Takes the folder that holds it; None downloads it, or takes what is embedded.
        embedded: It takes no folder.
        formless: Its pictures are of any size: what they become is chosen. It needs a folder.
    """

    name: str
    summary: str
    load: Callable[[Path | None, FolderSettings], Dataset]
    embedded: bool = False
    formless: bool = False


DATASETS: Mapping[str, Source] = MappingProxyType(
    {
        source.name: source
        for source in [
            Source(
                name="digits",
                summary="1,797 handwritten digits, 28 x 28 gray, embedded in scikit-learn",
                load=lambda _, __: load_digits(),
                embedded=True,
            ),
            Source(
                name="mnist",
                summary="70,000 handwritten digits, 28 x 28 gray, in --data-dir or downloaded",
                load=lambda folder, _: load_mnist(folder),
            ),
            Source(
                name="fashion-mnist",
                summary="70,000 pieces of clothing, 28 x 28 gray, in --data-dir or downloaded",
                load=lambda folder, _: load_fashion_mnist(folder),
            ),
            Source(
                name="cifar10",
                summary="60,000 photographs, 32 x 32 RGB, in --data-dir or downloaded",
                load=lambda folder, _: load_cifar10(folder),
            ),
            Source(
                name="folder",
                summary="any images in --data-dir, a sub-folder a class; JPEG, PNG, GIF, BMP, WebP",
                load=lambda folder, settings: load_folder(folder or Path(), settings),
                formless=True,
            ),
        ]
    }
)


def load_dataset(
    name: str,
    data_dir: Path | None = None,
    *,
    form: PictureForm | None = None,
    tell: Tell = lambda _: None,
    cache_bytes: int = 0,
) -> Dataset:
    """Loads a data set with its fixed splits.

    Args:
        name: one of DATASETS.
        data_dir: the folder that holds it; None downloads what is not embedded.
        form: what pictures become that have no size of their own; None is the default.
        tell: takes what a person should know about the pictures, a line at a time.
        cache_bytes: of decoded pictures that are kept in memory, where they are read when needed.

    Raises:
        ConfigError: There is no data set of that name, or it takes no folder, needs one, or takes
            no form.
        ModelsError: It can't be read or downloaded.
    """
    if name not in DATASETS:
        raise ConfigError(f"dataset must be one of {', '.join(DATASETS)}, got {name!r}")
    source = DATASETS[name]
    if source.embedded and data_dir is not None:
        raise ConfigError(
            f"{name} is embedded and takes no data-dir: name what it holds by --dataset, any "
            "images by --dataset folder"
        )
    if source.formless and data_dir is None:
        raise ConfigError(f"{name} needs a data-dir: the folder with a sub-folder a class")
    if form is not None and not source.formless:
        raise ConfigError(f"image-size and color are not for {name}: its images have their own")
    settings = FolderSettings(form=form or PictureForm(), tell=tell, cache_bytes=cache_bytes)
    return source.load(data_dir, settings)
