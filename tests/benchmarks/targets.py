"""What is to be reached, and by how much it is missed."""

from dataclasses import dataclass

from .samples import Rounds


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One target and what was measured.

    Attributes:
        subject: Whose.
        what: Such as "rate / naive".
        limit: To reach, or to stay below.
        reached: Measured, in the same unit.
        at_most: Whether `limit` is an upper one.
        unit: "x", "%" or "ms"; a share is a fraction here and a percentage when shown.
    """

    subject: str
    what: str
    limit: float
    reached: float
    at_most: bool = False
    unit: str = "x"

    @property
    def met(self) -> bool:
        """Whether the target is reached; a NaN reaches nothing."""
        return self.reached <= self.limit if self.at_most else self.reached >= self.limit

    @property
    def missed_by(self) -> float:
        """How far off, as a share of the limit; 0 where it is met."""
        if self.met:
            return 0.0
        return abs(self.reached - self.limit) / self.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a row found."""

    rounds: Rounds
    checks: list[Check]
