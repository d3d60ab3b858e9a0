"""Equal shares for clients: whose images go next, and how many of them may wait.

Who a client is, is a text that callers or a gateway before them send. Beyond a number of clients
the rest are taken for one, so that inventing names costs no memory.
"""

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from saccade_server.batching.line import Entry

MAX_CLIENTS = 1000
OTHERS = "\0others"
"""All clients beyond that number; no metadata has this value."""


class Shares:
    """How many images each client has in its model's hands: decoded, waiting or being run.

    For the event loop's thread.

    Args:
        max_images: That may wait altogether.
    """

    def __init__(self, max_images: int) -> None:
        self._max_images = max_images
        self._held: dict[str, int] = {}

    def name(self, client: str) -> str:
        """Under which name a client is counted now."""
        crowded = len(self._held) >= MAX_CLIENTS and client not in self._held
        return OTHERS if crowded else client

    def hold(self, name: str, images: int) -> None:
        """Counts images that came."""
        self._held[name] = self._held.get(name, 0) + images

    def drop(self, name: str, images: int) -> None:
        """Counts images that went."""
        self._held[name] -= images
        if not self._held[name]:
            del self._held[name]

    def exceeds(self, name: str, images: int, queued: int) -> bool:
        """Whether a client would take more than what it leaves to others.

        So one client alone fills half of the queue, two a third each: a newcomer finds room.
        """
        held = self._held.get(name, 0)
        return bool(held) and held + images > self._max_images - queued

    def ahead(self, name: str, images: int, queued: int) -> int:
        """Images that go before the last of a client's, at most, when all take turns."""
        clients = len(self._held) + (name not in self._held)
        return min(queued, (self._held.get(name, 0) + images) * clients)


class FairQueue:
    """Entries of several clients, who take turns (deficit round robin); in order for each of them.

    It stands in for the deque of a waiting line, whose lock guards it.

    Args:
        turn_images: Images of a client's turn; no entry has more.
    """

    def __init__(self, turn_images: int) -> None:
        self._turn_images = turn_images
        self._queues: dict[str, deque[Entry]] = {}
        self._credit: dict[str, int] = {}
        self._round: deque[str] = deque()

    def __len__(self) -> int:
        return len(self._round)

    def __getitem__(self, index: int) -> "Entry":
        """The next one, for index 0."""
        return self._queues[self._round[index]][0]

    def append(self, entry: "Entry") -> None:
        """Lets an entry wait behind those of its client."""
        queue = self._queues.get(entry.client)
        if queue is None:
            queue = self._queues[entry.client] = deque()
            self._credit[entry.client] = self._turn_images
            self._round.append(entry.client)
        queue.append(entry)

    def popleft(self) -> "Entry":
        """Takes the next one; who has used the turn up, or has nothing left, makes way."""
        client = self._round[0]
        queue = self._queues[client]
        entry = queue.popleft()
        if not entry.answer.done():  # Else its caller has gone, and it costs nothing.
            self._credit[client] -= len(entry.images)
        if not queue:
            self._round.popleft()
            del self._queues[client], self._credit[client]
        elif self._credit[client] <= 0:
            self._round.rotate(-1)
            self._credit[client] += self._turn_images
        return entry
