"""Keeps the chatter of native code off a person's terminal."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

CHATTER = (
    b"INFO: ",
    b"fully_quantize: ",
    b"I0000 ",
    b"WARNING: All log messages before absl::InitializeLog() is called",
)
EVERYTHING = (b"",)


def load_tensorflow() -> None:
    """Imports TensorFlow without its news of the processor, which no setting of it silences."""
    with drop_native_chatter():
        import tensorflow  # noqa: F401


@contextmanager
def drop_native_chatter(beginnings: tuple[bytes, ...] = CHATTER) -> Iterator[None]:
    """Drops the lines that begin like that from what is written to stderr meanwhile.

    LiteRT tells at each load which delegate it made, and its converter how it quantises; neither
    offers a setting against it. The other lines appear at the end. Works on the process's file
    descriptor, so for all threads.
    """
    sys.stderr.flush()
    original = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
            held.seek(0)
            for line in held:
                if not line.startswith(beginnings):
                    os.write(2, line)
