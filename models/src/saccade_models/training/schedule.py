"""The learning rate of each step."""

import math
from dataclasses import dataclass

SCHEDULES = ("cosine", "linear", "constant")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A linear warm-up, then a fall to 0 or none.

    `cosine` is half a cosine without restarts (Loshchilov and Hutter, SGDR, 2017); `linear` after
    a warm-up is a single triangular cycle (Smith, Cyclical learning rates, 2017).

    Attributes:
        kind: One of SCHEDULES.
        peak: The rate at the end of the warm-up, or of the first step where there is none.
        warmup_steps: How many steps the rate rises, from `peak / warmup_steps`; below `steps`.
        steps: Of the whole training.
    """

    kind: str
    peak: float
    warmup_steps: int
    steps: int

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        if step < self.warmup_steps:
            return self.peak * (step + 1) / self.warmup_steps
        done = (step - self.warmup_steps) / (self.steps - self.warmup_steps)
        remaining = {
            "cosine": (1 + math.cos(math.pi * done)) / 2,
            "linear": 1 - done,
            "constant": 1.0,
        }
        return self.peak * remaining[self.kind]
