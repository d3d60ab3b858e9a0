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

Those of requests are smaller. Those of weights mostly are not: no request needs what they leave.
"""

HEAPS = 1
"""Of the C library, for all threads. By default each thread has one of up to eight a processor, and
what is freed of one serves no thread of another."""

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
"""Of glibc's mallopt."""


def keep_freed() -> None:
    """Has glibc keep what requests free, for the next ones; does nothing with other C libraries.

    By default it gives back a few hundred kilobytes, which is one large image: requests of such
    images would have the system zero the same pages again and again. And threads have heaps of
    their own: what versions leave behind when they go would add up over all of these.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(_M_ARENA_MAX, HEAPS)
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
