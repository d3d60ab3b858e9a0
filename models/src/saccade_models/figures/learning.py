"""What the layers at the end do, what the loss says, and how it comes back."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from saccade_models.datasets import Split
from saccade_models.figures import style
from saccade_models.figures.passage import Floats, TrainedCnn

CLASSES = 10


def draw_dense(cnn: TrainedCnn, split: Split, file: Path) -> None:
    """The split's images as points: by their pixels, and by the hidden layer's 128 values."""
    way = cnn.forward(split.images[:].astype(np.float32))
    clouds = {
        "784 pixels": way["x"].reshape(len(split), -1),
        "9,216 pooled values": way["pooled"].reshape(len(split), -1),
        "128 hidden values": way["a3"],
    }
    colors = [mpl.colormaps["tab10"](digit) for digit in range(CLASSES)]
    with style.picture(file, 3.3) as figure:
        for axes, (name, values) in zip(figure.subplots(1, 3), clouds.items(), strict=True):
            points = project(values)
            for digit in range(CLASSES):
                of_class = points[split.labels == digit]
                axes.scatter(*of_class.T, s=8, color=colors[digit], linewidths=0)
                middle = np.median(of_class, axis=0)
                box = {"boxstyle": "round,pad=0.12", "fc": "white", "ec": colors[digit], "lw": 1}
                axes.text(*middle, str(digit), ha="center", va="center", fontsize=8, bbox=box)
            ratio = separation(values, split.labels)
            axes.set(title=f"{name}\nbetween : within = {ratio:.2f}", xticks=[], yticks=[])


def draw_softmax(cnn: TrainedCnn, split: Split, file: Path) -> None:
    """The most doubtful image and the clearest of its class: logits, softmax, and p minus truth."""
    best = cnn.forward(split.images[:].astype(np.float32))["probabilities"].max(axis=1)
    doubtful = best.argmin()
    clear = np.where(split.labels == split.labels[doubtful], best, 0).argmax()
    digits = np.arange(CLASSES)
    with style.picture(file, 3.7) as figure:
        axes = figure.subplots(2, 4, width_ratios=[1, 1.5, 1.5, 1.5])
        axes[0, 1].sharey(axes[1, 1])
        for row, index, kind in zip(axes, (clear, doubtful), ("clear", "doubtful"), strict=True):
            label = int(split.labels[index])
            way = cnn.forward(split.images[index : index + 1].astype(np.float32))
            p = way["probabilities"][0]
            style.show_gray(row[0], split.images[:][index, ..., 0], f"a {kind} {label}")
            _bars(row[1], digits, way["logits"][0])
            _bars(row[2], digits, p)
            _bars(row[3], digits, p - np.eye(CLASSES)[label])
            row[2].set(ylim=(0, 1.05))
            row[3].set(ylim=(-1.05, 1.05))
        for axis, title in zip(axes[0, 1:], ["logits z", "softmax p", "p − t"], strict=True):
            axis.set_title(title)


def draw_losses(cnn: TrainedCnn, split: Split, file: Path) -> None:
    """Both losses and their slopes, over how far the right logit leads, and where images lie."""
    logits = cnn.forward(split.images[:].astype(np.float32))["logits"].astype(np.float64)
    margins = margins_of(logits, split.labels)
    m = np.linspace(-12, 15, 601)
    p = 1 / (1 + np.exp(-m))
    squares = 2 * (1 - p) ** 2 / CLASSES
    curves = {
        "cross-entropy": (style.BLUE, -np.log(p), p - 1),
        "MSE × 10": (style.RED, CLASSES * squares, -CLASSES * 4 * p * (1 - p) ** 2 / CLASSES),
    }
    with style.picture(file, 2.9) as figure:
        axes = figure.subplots(1, 3)
        for name, (color, loss, slope) in curves.items():
            axes[0].plot(m, loss, color=color, label=name)
            axes[1].plot(m, slope, color=color, label=name)
        axes[0].set(title="loss", ylim=(-0.2, 8))
        axes[1].set(title="its slope by the margin m")
        axes[0].legend(loc="upper right")
        axes[2].hist(margins, bins=np.arange(-12, 16), color=style.FAINT)
        axes[2].axvline(0, color=style.INK, linewidth=0.8)
        axes[2].set(title=f"the {len(split)} validation images")
        for each in axes:
            each.set_xlim(-12, 15)
            each.set_xlabel("margin m of the right class")


def draw_way_back(cnn: TrainedCnn, split: Split, file: Path) -> None:
    """An image's values on the way forward, and below each the gradient on the way back."""
    probabilities = cnn.forward(split.images[:].astype(np.float32))["probabilities"]
    index = int(probabilities.max(axis=1).argmin())
    image, label = split.images[index : index + 1].astype(np.float32), int(split.labels[index])
    way, back = cnn.forward(image), cnn.backward(image, label)
    names = {"x": "image", "a1": "after conv1", "a2": "after conv2", "pooled": "pooled"}
    with style.picture(file, 3.9) as figure:
        axes = figure.subplots(2, 6, width_ratios=[1, 1, 1, 1, 0.55, 0.55])
        for place, (name, title) in enumerate(names.items()):
            # Of what is pooled, the same channel as before it.
            by_channel = np.abs(back["a2" if name == "pooled" else name][0]).sum(axis=(0, 1))
            channel = int(by_channel.argmax())
            values, gradient = way[name][0, ..., channel], back[name][0, ..., channel]
            side = len(values)
            show = style.show_gray if name == "x" else style.show_signed
            show(axes[0, place], values, f"{title}\n{side} × {side}")
            style.show_signed(axes[1, place], gradient)
        for place, name, title in [(4, "a3", "hidden\n128"), (5, "logits", "logits\n10")]:
            columns = 8 if name == "a3" else 1
            style.show_signed(axes[0, place], way[name].reshape(-1, columns), title)
            style.show_signed(axes[1, place], back[name].reshape(-1, columns))
        axes[0, 0].set_ylabel("forward ▸")
        axes[1, 0].set_ylabel("◂ gradient back")


def draw_saliency(cnn: TrainedCnn, split: Split, file: Path) -> None:
    """One image of each class, and the gradient of its loss by its pixels."""
    with style.picture(file, 1.85) as figure:
        axes = figure.subplots(2, CLASSES)
        for digit in range(CLASSES):
            index = int(np.flatnonzero(split.labels == digit)[0])
            image = split.images[index : index + 1]
            style.show_gray(axes[0, digit], image[0, ..., 0])
            gradient = cnn.backward(image.astype(np.float32), digit)["x"][0, ..., 0]
            style.show_signed(axes[1, digit], gradient)


def project(values: Floats) -> NDArray[np.float64]:
    """The two directions in which points differ most (principal components).

    Args:
        values: shape (N, D).

    Returns:
        Shape (N, 2).
    """
    centred = (values - values.mean(axis=0)).astype(np.float64)
    left, lengths, _ = np.linalg.svd(centred, full_matrices=False)
    points: NDArray[np.float64] = left[:, :2] * lengths[:2]
    return points


def separation(values: Floats, labels: NDArray[np.int64]) -> float:
    """How far the classes lie apart: the variance between their means by that within them.

    Args:
        values: shape (N, D).
        labels: shape (N,).
    """
    means = np.stack([values[labels == label].mean(axis=0) for label in range(CLASSES)])[labels]
    between = ((means - values.mean(axis=0)) ** 2).sum()
    return float(between / ((values - means) ** 2).sum())


def margins_of(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """z_y - log of the sum of exp of the others: cross-entropy is log(1 + exp(-m)).

    Args:
        logits: shape (N, K).
        labels: shape (N,), class indices.
    """
    rows = np.arange(len(labels))
    others = logits.copy()
    others[rows, labels] = -np.inf
    margins: NDArray[np.float64] = logits[rows, labels] - np.logaddexp.reduce(others, axis=1)
    return margins


def _bars(axes: Axes, digits: NDArray[np.int64], values: NDArray[np.float64] | Floats) -> None:
    colors = [style.RED if value > 0 else style.BLUE for value in values]
    axes.bar(digits, values, color=colors, width=0.75)
    axes.axhline(0, color=style.INK, linewidth=0.6)
    axes.set_xticks(digits)
