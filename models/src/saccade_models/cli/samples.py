"""`saccade-models samples`."""

import argparse
from pathlib import Path

from saccade_models.cli import pictures
from saccade_models.config import TrainingConfig
from saccade_models.datasets import DATASETS, load_dataset

SUMMARY = "Write images of a test split as PNG files."


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Declares which data set, how many images, and where to."""
    default = TrainingConfig.default("dataset")
    parser.add_argument("--dataset", choices=DATASETS, default=default, help="which")
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="the folder that holds it")
    pictures.add_flags(parser)
    parser.add_argument("--count", type=int, default=20, help="how many")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where to")


def run(flags: argparse.Namespace) -> None:
    """Writes the images."""
    from saccade_models.samples import write_samples

    dataset = load_dataset(flags.dataset, flags.data_dir, form=pictures.read_form(flags))
    files = write_samples(dataset, flags.count, flags.output)
    print(f"{len(files)} images in {flags.output}, named <position>-<class label>.png")
