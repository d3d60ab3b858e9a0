"""`saccade-models datasets`."""

import argparse

from saccade_models.cli import listing
from saccade_models.datasets import DATASETS

SUMMARY = "List the datasets."
add_flags = listing.add_flags


def run(flags: argparse.Namespace) -> None:
    """Prints the datasets that can be named."""
    listing.print_entries(DATASETS.values(), as_json=flags.json)
