"""`saccade-models networks`."""

import argparse
import json
from typing import Any

from saccade_models.cli import listing
from saccade_models.networks import NETWORKS, Network

SUMMARY = "List the networks."
add_flags = listing.add_flags


def run(flags: argparse.Namespace) -> None:
    """Prints the networks that can be named, and for which images."""
    if flags.json:
        print(json.dumps([_entry(network) for network in NETWORKS.values()], indent=2))
        return
    rows = list(map(_row, NETWORKS.values()))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def _entry(network: Network) -> dict[str, Any]:
    height, width, channels = network.published_input
    return {
        "name": network.name,
        "summary": network.summary,
        "source": network.source,
        "parameters": network.parameters,
        "published_input": {"height": height, "width": width, "channels": channels},
        "published_classes": network.published_classes,
        "smallest_side": network.smallest_side,
        "channels": list(network.channels),
        "options": network.own_options.chosen(),
    }


def _row(network: Network) -> tuple[str, ...]:
    side = network.smallest_side
    return (
        network.name,
        f"{network.parameters:>11,} parameters",
        f"at {_times(network.published_input)},",
        f"from {_times((side, side))}:",
        f"{network.summary} ({network.source})",
    )


def _times(sides: tuple[int, ...]) -> str:
    return " x ".join(map(str, sides))
