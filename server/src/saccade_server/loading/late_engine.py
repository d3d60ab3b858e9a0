"""An engine that is loaded when there is work for it."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future

import numpy as np
from numpy.typing import NDArray

from saccade_server.engines import Engine

log = logging.getLogger(__name__)

Make = Callable[[], Engine]

Later = Callable[[Make], Future[Engine]]
"""Has an engine made in another thread, in its turn."""


class SharedEngine:
    """An engine that several threads use, one at a time.

    Args:
        engine: Theirs.
    """

    def __init__(self, engine: Engine) -> None:
        self.name = engine.name
        self.bounded = engine.bounded
        self._engine = engine
        self._lock = threading.Lock()

    def predict(self, images: NDArray[np.uint8 | np.float32]) -> NDArray[np.float32]:
        """See `Engine.predict`."""
        with self._lock:
            return self._engine.predict(images)

    def close(self) -> None:
        """See `Engine.close`."""
        self._engine.close()


class LateEngine:
    """Is loaded for its first batch. Until then, and for good if it fails, another one stands in.

    Every engine holds the weights once more, and LiteRT keeps all threads of Python waiting while
    it arranges them. A version that is loaded while another one serves does without both until
    batches wait for each other.

    Args:
        make: Loads it.
        later: Where that is done; no batch waits for it.
        stand_in: Not closed here.
    """

    def __init__(self, make: Make, later: Later, stand_in: SharedEngine) -> None:
        self.name = stand_in.name
        self.bounded = stand_in.bounded
        self._make = make
        self._later = later
        self._stand_in = stand_in
        self._loading: Future[Engine] | None = None

    def predict(self, images: NDArray[np.uint8 | np.float32]) -> NDArray[np.float32]:
        """See `Engine.predict`."""
        if self._loading is None:
            self._loading = self._begin()
        loaded = self._loading.done() and self._loading.exception() is None
        engine = self._loading.result() if loaded else self._stand_in
        return engine.predict(images)

    def close(self) -> None:
        """See `Engine.close`. One that is being loaded is closed when it has been."""
        if self._loading is not None and not self._loading.cancel():
            self._loading.add_done_callback(_close)

    def _begin(self) -> Future[Engine]:
        try:
            loading = self._later(self._make)
        except RuntimeError as error:  # The server ends.
            loading = Future()
            loading.set_exception(error)
        else:
            loading.add_done_callback(_tell)
        return loading


def _tell(loading: Future[Engine]) -> None:
    if not loading.cancelled() and (error := loading.exception()) is not None:
        log.warning("batches are not run side by side: %s", error)


def _close(loading: Future[Engine]) -> None:
    if loading.exception() is None:
        loading.result().close()
