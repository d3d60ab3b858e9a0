"""How the pictures look: dark ink on an opaque white ground, legible on any page."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

INK = "#1f2933"
FAINT = "#7b8794"
BLUE = "#2166ac"
RED = "#b2182b"
GREEN = "#1b7837"
# Negative blue, 0 white, positive red.
SIGNED = "RdBu_r"
WIDTH_INCHES = 8.6
DPI = 150

RULES: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "contour.negative_linestyle": "solid",
}


@contextmanager
def picture(file: Path, height_inches: float) -> Iterator[Figure]:
    """A figure that is written to `file` as PNG when the block ends well."""
    with mpl.rc_context(RULES):
        figure = Figure(figsize=(WIDTH_INCHES, height_inches), dpi=DPI, facecolor="white")
        figure.set_layout_engine("constrained")
        yield figure
        figure.savefig(file)
    # The pictures are committed: a palette halves them. This one leaves no visible difference.
    with Image.open(file) as drawn:
        palette = drawn.convert("RGB").quantize(
            256, method=Image.Quantize.MAXCOVERAGE, kmeans=4, dither=Image.Dither.NONE
        )
        palette.save(file, optimize=True)


def show_gray(axes: Axes, image: NDArray[Any], title: str = "") -> None:
    """Draws a picture, 0 black and its largest value white."""
    axes.imshow(image, cmap="gray", vmin=0, interpolation="nearest")
    _bare(axes, title)


def show_signed(axes: Axes, values: NDArray[Any], title: str = "", reach: float = 0) -> None:
    """Draws values of either sign: blue, white at 0, red; `reach` is where colour ends."""
    reach = reach or float(np.abs(values).max()) or 1.0
    axes.imshow(values, cmap=SIGNED, vmin=-reach, vmax=reach, interpolation="nearest")
    _bare(axes, title)


def write_numbers(axes: Axes, values: NDArray[Any]) -> None:
    """Writes each value into its cell, in a colour that stands out from the ground."""
    image = axes.images[0]
    for (row, column), value in np.ndenumerate(values):
        red, green, blue, _ = image.cmap(image.norm(value))
        light = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
        # Adding 0 makes 0 of minus 0.
        text = f"{round(float(value), 2) + 0:.2f}".replace("-", "\N{MINUS SIGN}")
        color = INK if light else "white"
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color=color)


def frame(axes: Axes, row: float, column: float, side: float, color: str = RED) -> None:
    """A square around the cells from (row, column) on."""
    axes.add_patch(
        mpl.patches.Rectangle(
            (column - 0.5, row - 0.5),
            side,
            side,
            fill=False,
            edgecolor=color,
            linewidth=1.6,
            clip_on=False,
        )
    )


def blank(axes: Axes, text: str = "", size: float = 14) -> None:
    """Nothing but a sign in the middle."""
    axes.axis("off")
    axes.text(0.5, 0.5, text, ha="center", va="center", fontsize=size, transform=axes.transAxes)


def _bare(axes: Axes, title: str) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(True)
    axes.set_title(title)
