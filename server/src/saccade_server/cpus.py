"""How many processors this process may really use, and which of its threads goes first."""

import math
import os
import sys
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def available_cpus(cgroup: Path = CGROUP) -> int:
    """Processors by affinity and by the container's quota, rounded up; at least 1.

    A container with a quota of two processors on a host of 64 that starts 64 threads is stopped
    by the kernel most of the time.

    Args:
        cgroup: Where the control group's files are; version 2 (cpu.max) and 1 (cfs) are read.
    """
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, math.ceil(min(count or 1, _quota(cgroup))))


def step_back(niceness: int) -> None:
    """Makes the calling thread nicer, and with it those that it starts from now on.

    A thread cannot come forward again. Elsewhere than on Linux nothing happens: there niceness
    belongs to the process.

    Args:
        niceness: 0 to 19, to be added; the sum is 19 at most.
    """
    if sys.platform == "linux":
        os.nice(niceness)


def _quota(cgroup: Path) -> float:
    """Processors by the quota; infinite where there is none."""
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota = (cgroup / "cpu" / "cpu.cfs_quota_us").read_text()
            period = (cgroup / "cpu" / "cpu.cfs_period_us").read_text()
        except OSError:
            return math.inf
    try:
        return int(quota) / int(period) if int(quota) > 0 else math.inf
    except (ValueError, ZeroDivisionError):
        return math.inf  # "max", or nothing that makes sense
