"""What is refused before it is queued: no room, or no time."""

from collections.abc import Callable
from typing import NamedTuple

from saccade_server.batching.caution import Caution
from saccade_server.batching.crew import Crew
from saccade_server.batching.fairness import Shares
from saccade_server.batching.line import Entry, WaitingLine
from saccade_server.errors import DeadlineExceeded, Overloaded, SaccadeError

LEAST_RETRY_S = 0.01
"""A refused caller is never told to come back now, even while the engine's pace is not known."""


class Refusal(NamedTuple):
    """Why a request is not taken.

    Attributes:
        reason: The metric's label; empty: not counted.
        error: For the caller.
    """

    reason: str
    error: SaccadeError


class Door:
    """Judges requests by what waits and what that will cost.

    Args:
        line: Where they would wait.
        crew: What would run them.
        shares: Of clients; None: whoever comes first.
        max_queue_images: That may wait.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        line: WaitingLine,
        crew: Crew,
        shares: Shares | None,
        *,
        max_queue_images: int,
        clock: Callable[[], float],
    ) -> None:
        self._line = line
        self._crew = crew
        self._shares = shares
        self._max_queue_images = max_queue_images
        self._clock = clock
        self._caution = Caution()

    def refusal(
        self, images: int, *, queued: int, coming: int, deadline: float | None, client: str
    ) -> Refusal | None:
        """What so many images would be refused with if they came now; None: they would not.

        Args:
            images: Of the request.
            queued: Images that wait, or will when they are decoded.
            coming: More that were let through and will wait soon; the same client's, where clients
                have shares.
            deadline: On the clock.
            client: Whose they are.
        """
        # A lone request larger than the queue would never get in: it may when nothing waits.
        ahead = queued + coming
        if ahead and ahead + images > self._max_queue_images:
            text = (
                f"{ahead} images are waiting, at most {self._max_queue_images} may: try again later"
            )
            return self._full("queue_full", text, ahead)
        if self._shares is not None:
            name = self._shares.name(client)
            ahead = self._shares.ahead(name, images + coming, ahead)
            if self._shares.exceeds(name, images + coming, queued):
                text = "this client's share of the queue is full: try again later"
                return self._full("share_full", text, ahead)
        if deadline is None:
            return None
        # An idle engine does not wait for what is being decoded. What waits for it is gathered.
        behind = self._line.images + coming if self._crew.available else ahead
        return self._lateness(images, deadline, behind)

    def learn(self, entry: Entry) -> None:
        """Takes note of whether a request that was let in was in time."""
        gone = entry.answer.cancelled()
        late = entry.deadline is not None and (
            self._clock() >= entry.deadline
            or (not gone and isinstance(entry.answer.exception(), DeadlineExceeded))
        )
        self._line.pressure.learn(lost=late or (gone and entry.deadline is not None))
        if entry.deadline is not None and entry.waited and (late or not gone):
            self._caution.learn(late=late)

    def _full(self, reason: str, text: str, ahead: int) -> Refusal:
        retry_after_s = max(self._wait_s(self._clock(), ahead), LEAST_RETRY_S)
        return self._refuse(reason, Overloaded(text, retry_after_s=retry_after_s))

    def _lateness(self, images: int, deadline: float, behind: int) -> Refusal | None:
        now = self._clock()
        if deadline <= now:
            text = "the deadline leaves no time for the images"
            return self._refuse("deadline", DeadlineExceeded(text))
        wait = self._wait_s(now, behind)
        expected = self._line.safe_s(wait + self._line.expect_s(images), self._caution.factor)
        if not wait or now + expected <= deadline:
            return None
        error = Overloaded(
            f"the answer may take {expected:.3f} s, "
            f"the deadline leaves {deadline - now:.3f} s: try again later",
            retry_after_s=wait,
        )
        return self._refuse("deadline_unreachable", error)

    def _refuse(self, reason: str, error: SaccadeError) -> Refusal:
        self._line.pressure.learn(lost=True)
        return Refusal(reason, error)

    def _wait_s(self, now: float, ahead: int) -> float:
        """Expected seconds until a request with so many images ahead reaches an engine."""
        behind_s = self._line.expect_wait_s(ahead)
        return self._crew.wait_s(now, behind_s, in_turns=self._line.in_turns)
