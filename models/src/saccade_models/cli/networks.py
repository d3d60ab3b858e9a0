"""`saccade-models networks`."""

import argparse

from saccade_models.cli import listing
from saccade_models.networks import NETWORKS

SUMMARY = "List the networks."
add_flags = listing.add_flags


def run(flags: argparse.Namespace) -> None:
    """Prints the networks that can be named."""
    listing.print_entries(NETWORKS.values(), as_json=flags.json)
