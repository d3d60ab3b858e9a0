"""Looking for changes again and again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from saccade_server.errors import ConfigError
from saccade_server.metrics import Counter

log = logging.getLogger(__name__)

Look = Callable[[], Awaitable[None]]


class Watcher:
    """Has something looked at, with pauses. Whatever goes wrong in one look, the next one comes.

    Folders are polled: no notice of the operating system tells of changes on network file systems,
    in object stores, or in volumes that are mounted read-only.

    Args:
        look: What is done.
        poll_s: Seconds between the end of a look and the next one.
        looks: Counts them, by outcome.
        what: Is looked for; for the log.
        sleep: Waits for seconds.
    """

    def __init__(
        self,
        look: Look,
        poll_s: float,
        looks: Counter,
        *,
        what: str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._look = look
        self._poll_s = poll_s
        self._looks = looks
        self._what = what
        self._sleep = sleep
        self._told = ""

    async def run(self) -> None:
        """Looks until it is cancelled."""
        while True:
            await self._sleep(self._poll_s)
            await self.look()

    async def look(self) -> None:
        """Looks once. The same trouble is logged once, however long it lasts."""
        trouble = ""
        try:
            await self._look()
        except (ConfigError, OSError) as error:
            trouble = str(error)
        except Exception as error:
            # The edge: what serves goes on serving.
            trouble = f"{type(error).__name__}: {error}"
            if trouble != self._told:
                log.exception("a look for %s failed", self._what)
        self._looks.labels("failed" if trouble else "ok").inc()
        if trouble and trouble != self._told:
            log.error("a look for %s failed: %s", self._what, trouble)
        self._told = trouble
