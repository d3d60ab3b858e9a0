"""The loss as a landscape, and the ways that optimizers take down it."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade_models.datasets import Split
from saccade_models.figures import style
from saccade_models.figures.passage import TrainedCnn

REACH = 1.4
CELLS = 29
IMAGES = 96
STEPS = 60
START = (-1.15, 1.05)
# By the name in keras.optimizers: how it is called here, and its rate.
RATES = {"SGD": ("gradient descent", 0.05), "Adam": ("Adam", 0.1)}
SEED = 3


class Plane:
    """The weights w + a d + b e: a plane through the trained ones, spanned by random directions.

    Each direction's part in a kernel is as long as the kernel itself, or the picture would show the
    scales of the layers (H. Li et al., Visualizing the Loss Landscape of Neural Nets, 2018).
    """

    def __init__(self, cnn: TrainedCnn, split: Split) -> None:
        random = np.random.default_rng(SEED)
        self._cnn = cnn
        self._images = split.images[:IMAGES].astype(np.float32)
        self._labels = split.labels[:IMAGES]
        self._directions = [
            {name: _as_long_as(w, random) for name, w in cnn.weights.items()} for _ in range(2)
        ]

    def loss(self, at: Any) -> Any:
        """The mean cross-entropy of the images with the weights at (a, b), a tensor."""
        import tensorflow as tf

        from saccade_models.losses import build_loss

        first, second = self._directions
        weights = {
            name: w + at[0] * first[name] + at[1] * second[name]
            for name, w in self._cnn.weights.items()
        }
        moved = TrainedCnn(
            weights=weights, activation=self._cnn.activation, pooling=self._cnn.pooling
        )
        logits = moved.logits(self._images)
        return tf.reduce_mean(build_loss("cross-entropy")(tf.constant(self._labels), logits))

    def grid(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The places along each axis, and the loss at each pair: row b, column a."""
        import tensorflow as tf

        places = np.linspace(-REACH, REACH, CELLS)
        loss = tf.function(self.loss, input_signature=[tf.TensorSpec((2,), tf.float32)])
        values = [[float(loss(np.array([a, b], np.float32))) for a in places] for b in places]
        return places, np.array(values)

    def descend(self, optimizer: str) -> NDArray[np.float64]:
        """The places after 0 to STEPS steps from START; shape (STEPS + 1, 2)."""
        import keras
        import tensorflow as tf

        place = keras.Variable(np.array(START, np.float32))
        rule = getattr(keras.optimizers, optimizer)(RATES[optimizer][1])

        @tf.function(input_signature=[tf.TensorSpec((2,), tf.float32)])  # type: ignore[untyped-decorator]  # ships no types
        def slope(at: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(at)
                loss = self.loss(at)
            return tape.gradient(loss, at)

        way = [place.numpy()]
        for _ in range(STEPS):
            rule.apply([slope(place.value)], [place])
            way.append(place.numpy())
        return np.array(way, np.float64)


def draw_descent(cnn: TrainedCnn, split: Split, file: Path) -> None:
    """The landscape around the trained weights, and two ways down from one start."""
    plane = Plane(cnn, split)
    places, losses = plane.grid()
    ways = {name: plane.descend(name) for name in RATES}
    heights = np.log10(losses)
    with style.picture(file, 4.0) as figure:
        axes = figure.subplots(1, 2, width_ratios=[1.25, 1])
        shades = axes[0].contourf(places, places, heights, 18, cmap="Blues_r")
        axes[0].contour(places, places, heights, 18, colors="white", linewidths=0.4)
        bar = figure.colorbar(shades, ax=axes[0], shrink=0.85)
        bar.set_ticks([-1, 0, 1], labels=["0.1", "1", "10"])
        bar.set_label("loss")
        for (name, way), color in zip(ways.items(), [style.RED, style.INK], strict=True):
            axes[0].plot(*way.T, ".-", color=color, markersize=3, linewidth=1)
            along = [float(plane.loss(place.astype(np.float32))) for place in way]
            axes[1].semilogy(along, color=color, label="{}, rate {:g}".format(*RATES[name]))
        axes[0].plot(0, 0, "*", color="white", markersize=12, markeredgecolor=style.INK)
        axes[0].set(xlabel="a", ylabel="b", title="weights = trained + a·d + b·e", aspect="equal")
        axes[1].set(xlabel="step", title="loss along the way")
        axes[1].yaxis.set_major_formatter("{x:g}")
        axes[1].legend()


def _as_long_as(w: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Random numbers whose length in each output's weights is that of the weights."""
    noise = random.normal(size=w.shape)
    if w.ndim == 1:
        return np.zeros_like(w)
    inputs = tuple(range(w.ndim - 1))
    length = np.sqrt((w**2).sum(axis=inputs) / (noise**2).sum(axis=inputs))
    scaled: NDArray[np.float32] = (noise * length).astype(np.float32)
    return scaled
