"""What each block does to a picture: convolution, padding, activation, pooling."""

from collections.abc import Callable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade_models.figures import style
from saccade_models.figures.passage import Floats, TrainedCnn

SHOWN_KERNELS = 6
CURVES: Mapping[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "ReLU": lambda z: np.maximum(z, 0),
}


def draw_window(cnn: TrainedCnn, pixels: Floats, file: Path) -> None:
    """One window times one kernel: a single number of a feature map, in figures."""
    way = cnn.forward(pixels)
    kernel = edge_kernels(way["z1"])[0]
    row, column = divmod(int(way["z1"][0, ..., kernel].argmax()), way["z1"].shape[2])
    window = way["x"][0, row : row + 3, column : column + 3, 0]
    w, bias = cnn.weights["w1"][:, :, 0, kernel], cnn.weights["b1"][kernel]
    value = way["z1"][0, row, column, kernel]

    with style.picture(file, 2.1) as figure:
        axes = figure.subplots(1, 7, width_ratios=[5, 0.5, 3.4, 0.5, 3.4, 2.2, 5])
        style.show_gray(axes[0], way["x"][0, ..., 0], "image x, 28 × 28")
        style.frame(axes[0], row, column, 3)
        style.show_gray(axes[2], window, f"window at ({row}, {column})")
        axes[2].images[0].set_clim(0, 1)
        style.write_numbers(axes[2], window)
        style.show_signed(axes[4], w, f"kernel w, number {kernel}")
        style.write_numbers(axes[4], w)
        style.show_signed(axes[6], way["z1"][0, ..., kernel], "feature map y, 26 × 26")
        style.frame(axes[6], row, column, 1, style.INK)
        style.blank(axes[1], "▸", 12)
        style.blank(axes[3], "×", 14)
        total = f"Σ = {np.sum(window * w):.2f}\n+ b = {bias:.2f}\n= {value:.2f} ▸"
        style.blank(axes[5], total.replace("-", "\N{MINUS SIGN}"), 9)


def draw_kernels(cnn: TrainedCnn, pixels: Floats, file: Path) -> None:
    """Kernels of the first layer, and what each finds in the image."""
    maps = cnn.forward(pixels)
    chosen = edge_kernels(maps["z1"])
    reach = float(np.abs(maps["z1"][..., chosen]).max())
    kernels = cnn.weights["w1"][:, :, 0, chosen]
    with style.picture(file, 2.55) as figure:
        axes = figure.subplots(2, 1 + len(chosen), height_ratios=[0.72, 1])
        style.blank(axes[0, 0], "kernels\n3 × 3", 9)
        style.show_gray(axes[1, 0], maps["x"][0, ..., 0], "image")
        for place, kernel in enumerate(chosen, start=1):
            style.show_signed(
                axes[0, place],
                kernels[..., place - 1],
                f"number {kernel}",
                float(np.abs(kernels).max()),
            )
            style.show_signed(axes[1, place], maps["z1"][0, ..., kernel], "", reach)


def draw_padding(cnn: TrainedCnn, pixels: Floats, file: Path) -> None:
    """One kernel with and without padding, and in strides of two; all at one scale."""
    import tensorflow as tf

    kernel = edge_kernels(cnn.forward(pixels)["z1"])[0]
    w = cnn.weights["w1"][..., kernel : kernel + 1]
    image = pixels / np.float32(255)
    cases = [("VALID", 1), ("SAME", 1), ("VALID", 2), ("SAME", 2)]
    maps = [tf.nn.conv2d(image, w, stride, padding).numpy()[0, ..., 0] for padding, stride in cases]
    reach = max(float(np.abs(values).max()) for values in maps)
    with style.picture(file, 2.2) as figure:
        sides = [28, *map(len, maps)]
        axes = figure.subplots(1, 5, width_ratios=sides)
        style.show_gray(axes[0], image[0, ..., 0], "image\n28 × 28")
        for place, ((padding, stride), values) in enumerate(zip(cases, maps, strict=True), start=1):
            side = sides[place]
            title = f"{padding.lower()}, stride {stride}\n{side} × {side}"
            style.show_signed(axes[place], values, title, reach)
        for each, side in zip(axes, sides, strict=True):
            # All start at the same height, and a pixel is as large everywhere.
            each.set(ylim=(27.7, -0.7))
            each.axis("off")
            style.frame(each, 0, 0, side, style.FAINT)


def draw_activations(cnn: TrainedCnn, pixels: Floats, file: Path) -> None:
    """The three curves with their slopes, and one feature map through each."""
    way = cnn.forward(pixels)
    z = way["z2"][0, ..., edge_kernels(way["z2"])[0]]
    reach = float(np.abs(z).max())
    t = np.linspace(-4, 4, 801)
    with style.picture(file, 4.2) as figure:
        axes = figure.subplots(2, 4, height_ratios=[1, 1.15])
        style.blank(axes[0, 0])
        for place, (name, activate) in enumerate(CURVES.items(), start=1):
            curve = axes[0, place]
            curve.axhline(0, color=style.FAINT, linewidth=0.5)
            curve.plot(t, activate(t), color=style.BLUE, label="value φ(z)")
            slope = np.gradient(activate(t), t)
            curve.plot(t, slope, "--", color=style.RED, label="slope φ′(z)")
            curve.set(title=name, ylim=(-1.15, 2.15), xlim=(-4, 4), yticks=[-1, 0, 1, 2])
            style.show_signed(axes[1, place], activate(z), f"{name} of it", reach)
        axes[0, 0].legend(*axes[0, 1].get_legend_handles_labels(), loc="center")
        style.show_signed(axes[1, 0], z, "feature map before", reach)
        figure.colorbar(axes[1, 0].images[0], ax=axes[1], shrink=0.85)


def draw_pooling(cnn: TrainedCnn, pixels: Floats, file: Path) -> None:
    """A feature map, halved by maximum and by mean; below, the same with numbers."""
    maps = cnn.forward(pixels)["a2"]
    values = maps[0, ..., _strongest_channel(maps)]
    blocks = values.reshape(12, 2, 12, 2).swapaxes(1, 2).reshape(12, 12, 4)
    pooled = {"maximum": blocks.max(axis=2), "mean": blocks.mean(axis=2)}
    row, column = _liveliest(values, 4)
    reach = float(values.max())
    with style.picture(file, 4.4) as figure:
        axes = figure.subplots(2, 3)
        style.show_signed(axes[0, 0], values, "feature map, 24 × 24", reach)
        style.frame(axes[0, 0], row, column, 4, style.INK)
        part = values[row : row + 4, column : column + 4]
        style.show_signed(axes[1, 0], part, "16 of its values", reach)
        style.write_numbers(axes[1, 0], part)
        for at in (0, 2):
            for across in (0, 2):
                style.frame(axes[1, 0], at, across, 2, style.INK)
        for place, (name, halved) in enumerate(pooled.items(), start=1):
            style.show_signed(axes[0, place], halved, f"{name}, 12 × 12", reach)
            style.frame(axes[0, place], row // 2, column // 2, 2, style.INK)
            part = halved[row // 2 : row // 2 + 2, column // 2 : column // 2 + 2]
            style.show_signed(axes[1, place], part, f"{name} of each block", reach)
            style.write_numbers(axes[1, place], part)


def edge_kernels(maps: Floats) -> list[int]:
    """The channels of (1, H, W, C) that go furthest both ways from 0, in order.

    A kernel with weights of one sign blurs; one that weighs a side against another finds edges.
    """
    highest, lowest = maps[0].max(axis=(0, 1)), maps[0].min(axis=(0, 1))
    order = np.argsort(-np.minimum(highest, -lowest))
    return [int(channel) for channel in order[:SHOWN_KERNELS]]


def _strongest_channel(maps: Floats) -> int:
    """The channel of (1, H, W, C) whose values differ most."""
    return int(maps[0].std(axis=(0, 1)).argmax())


def _liveliest(values: Floats, side: int) -> tuple[int, int]:
    """Where, at even places, each of the blocks in `side` x `side` values has differences."""

    def least_difference(at: tuple[int, int]) -> float:
        part = values[at[0] : at[0] + side, at[1] : at[1] + side]
        blocks = part.reshape(side // 2, 2, side // 2, 2)
        return float(blocks.std(axis=(1, 3)).min())

    places = range(0, len(values) - side + 1, 2)
    return max(product(places, places), key=least_difference)
