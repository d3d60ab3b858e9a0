"""The machine and the software that figures belong to."""

import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path

from saccade_server.cpus import available_cpus
from saccade_server.services import answer

PACKAGES = ("ai-edge-litert", "grpcio", "mnn", "numpy", "pillow", "protobuf", "uvloop")
TENSORFLOW_PACKAGES = ("tensorflow-cpu", "tensorflow")


def describe_machine() -> dict[str, object]:
    """Facts, ready for JSON.

    `load_average` is of the last minute, before anything was started; `compiled` is of our servers.
    """
    return {
        "processor": _processor(),
        "processors": available_cpus(),
        "load_average": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.release()}",
        "versions": _versions(),
        "compiled": answer.__file__.endswith(".so"),
        "commit": _commit(),
    }


def _processor() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found.group(1) if found else platform.machine()


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in (*PACKAGES, *TENSORFLOW_PACKAGES):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _commit() -> str:
    """The commit, with "+" where the work tree differs; empty outside of git."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"],
            cwd=Path(__file__).parent, capture_output=True, text=True, check=False,
        )  # fmt: skip
    except OSError:
        return ""
    return done.stdout.strip()
