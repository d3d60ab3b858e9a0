"""How this process treats its memory: by default, Python and the C library let requests wait."""

import ctypes
import gc

YOUNG_OBJECTS = 10_000
"""That are made, and not freed, before the garbage collector looks at them: more than those of the
requests under way."""

KEPT_BYTES = 64 << 20
"""Of freed memory, at most, that the C library does not give back to the system."""

MAPPED_BYTES = 4 << 20
"""Larger blocks come from the system, and go back, one by one.

Those of requests are smaller, those of weights mostly larger: kept, they would stay with whichever
heap of the C library a version was loaded on, and memory would grow by a version now and then.
"""

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
"""Of glibc's mallopt."""


def keep_freed() -> None:
    """Has glibc keep what requests free, for the next ones; does nothing with other C libraries.

    By default it gives back a few hundred kilobytes, which is one large image: requests of such
    images would have the system zero the same pages again and again.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(_M_MMAP_THRESHOLD, MAPPED_BYTES)
    mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)


def settle() -> None:
    """Takes what is loaded by now out of the garbage collector's sight.

    A full collection of it holds every request up for tens of milliseconds, and finds nothing:
    modules and models stay. Requests leave no cycles behind, so that it rarely has something to do.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
