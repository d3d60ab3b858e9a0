"""A folder served over HTTP, as a store that can hang and go away."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copyfileobj
from typing import IO, Any

HANG_S = 60.0
"""Bound, should nobody release it."""


class FolderServer:
    """Serves a folder while it is open.

    Args:
        folder: What is in the store.

    Attributes:
        sent: The paths of the files that were asked for, in order.
        hanging: Set when the file that it hangs at is half sent.
    """

    def __init__(self, folder: Path) -> None:
        self.sent: list[str] = []
        self.hanging = threading.Event()
        self._hangs_at = ""
        self._released = threading.Event()
        self._folder = folder
        self._port = 0

    def hang_at(self, ending: str) -> None:
        """From now on a file with such a name is sent by half, until `release`."""
        self._hangs_at = ending
        self._released.clear()
        self.hanging.clear()

    def release(self) -> None:
        """Goes on."""
        self._hangs_at = ""
        self._released.set()

    @contextmanager
    def open(self) -> Iterator[str]:
        """Serves it meanwhile, always on the same port; gives the URL."""
        handler = partial(_Handler, self, directory=str(self._folder))
        with ThreadingHTTPServer(("127.0.0.1", self._port), handler) as server:
            self._port = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            try:
                yield f"http://127.0.0.1:{self._port}"
            finally:
                self.release()
                server.shutdown()
                thread.join()

    def send(self, path: str, source: IO[bytes], target: IO[bytes]) -> None:
        """Sends a file."""
        self.sent.append(path)
        if self._hangs_at and path.endswith(self._hangs_at):
            content = source.read()
            target.write(content[: len(content) // 2])
            target.flush()
            self.hanging.set()
            self._released.wait(HANG_S)
            target.write(content[len(content) // 2 :])
        else:
            copyfileobj(source, target)


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, store: FolderServer, *arguments: Any, **options: Any) -> None:
        self._store = store
        super().__init__(*arguments, **options)

    def copyfile(self, source: Any, outputfile: Any) -> None:
        # Lists of folders come this way too.
        if self.path.endswith("/"):
            copyfileobj(source, outputfile)
            return
        try:
            self._store.send(self.path, source, outputfile)
        except OSError:  # Whoever asked has gone.
            self.close_connection = True

    def log_message(self, *arguments: Any) -> None:
        """Nothing."""
