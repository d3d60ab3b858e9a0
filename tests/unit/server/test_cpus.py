"""How many processors may be used."""

import os
from pathlib import Path

import pytest

from saccade_server.cpus import available_cpus

HOST = len(os.sched_getaffinity(0))


def write_v2(cgroup: Path, text: str) -> None:
    """The file of control groups, version 2."""
    (cgroup / "cpu.max").write_text(text)


def write_v1(cgroup: Path, quota: str, period: str) -> None:
    """The files of version 1."""
    (cgroup / "cpu").mkdir()
    (cgroup / "cpu" / "cpu.cfs_quota_us").write_text(quota)
    (cgroup / "cpu" / "cpu.cfs_period_us").write_text(period)


@pytest.fixture
def _host_of_eight(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that may use eight processors."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))


def test_without_control_groups_the_affinity_counts(tmp_path: Path) -> None:
    """All processors that the process may use."""
    assert HOST == available_cpus(tmp_path)


@pytest.mark.usefixtures("_host_of_eight")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),
        ("10000 100000\n", 1),
        ("6400000 100000\n", 8),
        ("max 100000\n", 8),
        ("", 8),
        ("nonsense\n", 8),
    ],
)
def test_a_quota_of_version_2_counts(tmp_path: Path, text: str, expected: int) -> None:
    """Rounded up, at least one, at most what the host has; none where it says max."""
    write_v2(tmp_path, text)

    assert expected == available_cpus(tmp_path)


@pytest.mark.usefixtures("_host_of_eight")
@pytest.mark.parametrize(
    ("quota", "expected"), [("200000\n", 2), ("50000\n", 1), ("-1\n", 8), ("\n", 8)]
)
def test_a_quota_of_version_1_counts(tmp_path: Path, quota: str, expected: int) -> None:
    """Rounded up, at least one; none where it says -1."""
    write_v1(tmp_path, quota, "100000\n")

    assert expected == available_cpus(tmp_path)


@pytest.mark.usefixtures("_host_of_eight")
@pytest.mark.parametrize("text", ["100000 0\n", "0 0\n"])
def test_a_period_of_zero_is_no_quota(tmp_path: Path, text: str) -> None:
    """It makes no sense, and must not keep the server from starting."""
    write_v2(tmp_path, text)

    assert available_cpus(tmp_path) == 8


def test_where_affinity_is_unknown_all_processors_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS and Windows."""
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 5)

    assert available_cpus(tmp_path) == 5
