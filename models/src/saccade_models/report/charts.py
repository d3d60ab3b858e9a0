"""The geometry of the report's charts: numbers to places in a drawing. The templates draw them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from saccade_models.evaluation.calibration import Bin
from saccade_models.training.history import Epoch

WIDTH, HEIGHT = 420, 250
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 12, 34
MOST_DOTS = 40
WIDE_RANGE = 30
"""A loss that falls by more than this factor is drawn on a logarithmic axis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A place on an axis, in the drawing's units, and its text."""

    at: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A curve: `kind` is "train" or "validation", which the style sheet colours."""

    kind: str
    points: tuple[tuple[float, float], ...]
    dots: bool

    @property
    def path(self) -> str:
        """For the attribute `points` of a polyline."""
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in self.points)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """One chart of a training.

    Attributes:
        title: What is drawn.
        x_ticks: Epochs.
        y_ticks: Values.
        lines: Of the training and of the validation split.
        marked: Where the exported epoch is; None where it is not known.
    """

    title: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]
    marked: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A bin of the reliability diagram, from 0 to 1 in both directions, y upwards.

    `share` is its part of the images, of the largest bin's.
    """

    x: float
    width: float
    accuracy: float
    confidence: float
    share: float
    text: str


def draw_training(history: Sequence[Epoch], exported_epoch: int) -> tuple[Curves, ...]:
    """Accuracy and loss by epoch; nothing where there are no epochs."""
    if not history:
        return ()
    accuracy = [(one.accuracy, one.val_accuracy) for one in history]
    loss = [(one.loss, one.val_loss) for one in history]
    numbers = [one.number for one in history]
    return (
        _draw("Accuracy", numbers, accuracy, exported_epoch, percent=True),
        _draw("Loss", numbers, loss, exported_epoch, percent=False),
    )


def draw_reliability(bins: tuple[Bin, ...]) -> tuple[Bar, ...]:
    """A bar for each bin that has images."""
    most = max(one.samples for one in bins)
    return tuple(
        Bar(
            x=one.low,
            width=one.high - one.low,
            accuracy=one.accuracy,
            confidence=one.confidence,
            share=one.samples / most,
            text=f"{one.samples:,} images: {one.accuracy:.1%} right, {one.confidence:.1%} claimed",
        )
        for one in bins
        if one.accuracy is not None and one.confidence is not None
    )


def round_ticks(low: float, high: float, most: int) -> list[float]:
    """At most about `most` round numbers that enclose the range: steps of 1, 2 or 5 times 10^n."""
    rough = max(high - low, 1e-9) / most
    power = 10.0 ** floor(log10(rough))
    step = next(by * power for by in (1, 2, 5, 10) if by * power >= rough * 0.999)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def _draw(
    title: str,
    numbers: Sequence[int],
    pairs: Sequence[tuple[float, float]],
    exported_epoch: int,
    *,
    percent: bool,
) -> Curves:
    values = [value for pair in pairs for value in pair]
    low, high = min(values), max(values)
    logarithmic = not percent and low > 0 and high / low > WIDE_RANGE
    ticks = _decades(low, high) if logarithmic else round_ticks(low if percent else 0, high, 5)
    if percent:
        ticks = [tick for tick in ticks if tick <= 1] or [0.0, 1.0]
        low, high = min(ticks[0], low), max(ticks[-1], high)
    else:
        low, high = ticks[0], ticks[-1]

    def x(number: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (
            (number - numbers[0]) / (numbers[-1] - numbers[0]) if len(numbers) > 1 else 0.5
        )

    def y(value: float) -> float:
        part = log10(value / low) / log10(high / low) if logarithmic else _part(value, low, high)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * part

    epochs = [tick for tick in round_ticks(numbers[0], numbers[-1], 6) if tick == int(tick)]
    return Curves(
        title=title + (" (logarithmic)" if logarithmic else ""),
        x_ticks=tuple(
            Tick(at=x(tick), text=f"{tick:.0f}")
            for tick in epochs
            if numbers[0] <= tick <= numbers[-1]
        ),
        y_ticks=tuple(
            Tick(at=y(tick), text=_percent(tick, ticks) if percent else f"{tick:g}")
            for tick in ticks
        ),
        lines=tuple(
            Line(
                kind=kind,
                points=tuple((x(n), y(pair[at])) for n, pair in zip(numbers, pairs, strict=True)),
                dots=len(numbers) <= MOST_DOTS,
            )
            for at, kind in enumerate(("train", "validation"))
        ),
        marked=x(exported_epoch) if exported_epoch in numbers else None,
    )


def _part(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5


def _decades(low: float, high: float) -> list[float]:
    """1, 2 and 5 times powers of ten, from the last below `low` to the first above `high`."""
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    steps = [by * 10.0**power for power in powers for by in (1, 2, 5)]
    if high / low > 100 * WIDE_RANGE:
        steps = [10.0**power for power in powers]
    first = max((step for step in steps if step <= low), default=steps[0])
    last = min((step for step in steps if step >= high), default=steps[-1])
    return [step for step in steps if first <= step <= last]


def _percent(tick: float, ticks: Sequence[float]) -> str:
    """With as many decimals as neighbours need to differ."""
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1
    decimals = max(0, ceil(-log10(step * 100) - 1e-9)) if step < 0.01 else 0
    return f"{tick * 100:.{decimals}f} %"
