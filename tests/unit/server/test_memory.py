"""How the process treats its memory; in processes of their own, since there is no way back."""

import subprocess
import sys

import pytest

FAULTS = """
import resource
from saccade_server.memory import keep_freed
{first}
def ask():
    kept = [bytes(600_000) for _ in range(16)]
for _ in range(5):
    ask()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    ask()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
PAGES = 20 * 16 * 600_000 // 4096

HEAPS = """
import ctypes, re, threading
from pathlib import Path
from saccade_server.memory import keep_freed
{first}
malloc = ctypes.CDLL(None).malloc
malloc.restype = ctypes.c_void_p
found = []
threads = [threading.Thread(target=lambda: found.append(malloc(1000))) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
usual = re.search("(.*)-(.*) rw.*[[]heap", Path("/proc/self/maps").read_text())
low, high = int(usual[1], 16), int(usual[2], 16)
print(sum(not low <= address < high for address in found))
"""

FROZEN = """
import gc
from saccade_server.memory import settle
settle()
print(gc.get_freeze_count())
"""


def run(program: str) -> int:
    """The number that a program prints."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="other C libraries have their own ways")
def test_what_requests_free_is_used_again() -> None:
    """Instead of new pages from the system for nearly every block."""
    assert run(FAULTS.format(first="keep_freed()")) < PAGES / 10


@pytest.mark.skipif(sys.platform != "linux", reason="other C libraries have their own ways")
def test_threads_share_a_heap() -> None:
    """What a version leaves behind in heaps of its threads would add up."""
    assert run(HEAPS.format(first="keep_freed()")) == 0


def test_what_is_loaded_is_not_looked_at_again() -> None:
    """The interpreter's own objects are thousands."""
    assert run(FROZEN) > 1000
