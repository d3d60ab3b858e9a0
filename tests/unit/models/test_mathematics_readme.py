"""What models/README.md says about the code, the pictures and the counts is so."""

import math
import re
from pathlib import Path

import pytest

from saccade_models.networks import NETWORKS, NetworkOptions, build_classifier

README = Path(__file__).resolve().parents[3] / "models" / "README.md"
LINE_LINK = re.compile(r"\[`([^`]+)`\]\(([^)#]+)#L(\d+)\)")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
MAX_PICTURE_BYTES = 400_000


def line_links() -> list[tuple[str, str, int]]:
    """The code that a link shows, the file and the line that it names."""
    return [(code, file, int(line)) for code, file, line in LINE_LINK.findall(README.read_text())]


@pytest.mark.parametrize(("code", "file", "line"), line_links())
def test_a_link_names_the_line_with_the_code_that_it_shows(code: str, file: str, line: int) -> None:
    """So that the text can't drift away from the code."""
    lines = (README.parent / file).read_text().splitlines()
    found = [number for number, text in enumerate(lines, start=1) if code in text]

    assert line in found, f"models/README.md: {code} stands in {file} at {found}, not at {line}"


def test_every_link_leads_somewhere() -> None:
    """To a file or a folder beside the README."""
    missing = [
        link for link in LINK.findall(README.read_text()) if not (README.parent / link).exists()
    ]

    assert [] == missing


def test_every_picture_is_shown_and_they_are_small() -> None:
    """What is committed is used, and a clone stays light."""
    pictures = sorted((README.parent / "figures").iterdir())
    shown = re.findall(r"!\[[^\]]+\]\((figures/[^)]+)\)", README.read_text())

    assert sorted(shown) == [f"figures/{picture.name}" for picture in pictures]
    assert sum(picture.stat().st_size for picture in pictures) < MAX_PICTURE_BYTES


def test_every_formula_is_closed() -> None:
    """Dollars come in pairs on a line, braces in pairs in a formula."""
    text = README.read_text()
    blocks = re.findall(r"```math\n(.*?)```", text, re.DOTALL)
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    inline = re.findall(r"\$([^$]+)\$", prose)

    assert blocks
    assert all(line.count("$") % 2 == 0 for line in prose.splitlines())
    for formula in (*blocks, *inline):
        assert formula.count("{") == formula.count("}"), formula
        opened, closed = (re.findall(rf"\\{side}(?![a-z])", formula) for side in ("left", "right"))
        assert len(opened) == len(closed), formula


def table(heading: str) -> dict[str, list[str]]:
    """The rows of the table under a heading: the other cells by the first."""
    _, _, text = README.read_text().partition(f"# {heading}\n")
    text, _, _ = text.partition("\n## ")
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return {block: cells for block, *cells in rows[1:]}


def test_the_table_of_networks_has_them_all() -> None:
    """In the catalogue's order, with its sources, sizes and counts."""
    expected = [
        [
            network.source,
            " × ".join(map(str, network.published_input)),
            f"{network.parameters:,}",
            str(network.smallest_side),
        ]
        for network in NETWORKS.values()
    ]

    rows = table("Networks")

    assert [f"`{name}`" for name in NETWORKS] == list(rows)
    assert expected == list(rows.values())


def number(cell: str) -> int:
    """What the cell comes to; a sum in front of it must come to the same."""
    *terms, total = cell.split(" = ")
    value = int(total.replace(",", ""))
    for term in terms:
        assert value == sum(math.prod(map(int, part.split("·"))) for part in term.split(" + "))
    return value


def test_the_table_has_the_weights_and_costs_of_the_network() -> None:
    """Counted from the layers that Keras builds, block by block."""
    classifier = build_classifier("cnn", (28, 28, 1), 10, NetworkOptions())
    counted = []
    for layer in classifier.layers:
        if layer.name in ("images", "scale") or "flatten" in layer.name:
            continue
        *_, channels = shape = layer.output.shape[1:]
        kernel = layer.weights[0].shape if layer.weights else (0, channels)
        # Each output is a sum of so many terms as the kernel has weights for one output channel.
        terms = math.prod(kernel) // channels
        counted.append(
            (" × ".join(map(str, shape)), layer.count_params(), math.prod(shape) * terms)
        )

    *blocks, together = table("What the network weighs and costs").values()

    assert counted == [(block[0], number(block[1]), number(block[2])) for block in blocks]
    assert sum(weights for _, weights, _ in counted) == number(together[1])
    assert sum(costs for _, _, costs in counted) == number(together[2])
