"""What asks the process to stop: signals, and the end of its parent."""

import asyncio
import signal
import sys


class Stop:
    """The first signal asks to stop, the second ends the process at once.

    Attributes:
        gently: Whether load balancers need time to notice.
    """

    def __init__(self) -> None:
        self.gently = False
        self._asked = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._on_signal, number)

    async def wait(self) -> None:
        """Returns when somebody has asked."""
        await self._asked.wait()

    async def watch_parent(self) -> None:
        """Stops when the other end of standard input is closed: the parent has gone."""
        reader = asyncio.StreamReader()
        await self._loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

        async def wait_for_end() -> None:
            await reader.read()
            self._asked.set()

        self._watching = asyncio.ensure_future(wait_for_end())

    def _on_signal(self, number: signal.Signals) -> None:
        # A load balancer sends SIGTERM through its platform and needs time to notice; a person
        # at a terminal does not.
        self.gently = number == signal.SIGTERM
        self._asked.set()
        for each in (signal.SIGTERM, signal.SIGINT):
            self._loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)
