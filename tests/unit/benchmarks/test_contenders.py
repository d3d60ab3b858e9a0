"""Starting what is compared, by processes that only say that they are ready."""

import sys
from pathlib import Path

import pytest

from benchmarks.contenders import Contender, running
from benchmarks.h2load import LoadError

READY = "import time; print('ready grpc=127.0.0.1:1', flush=True); time.sleep(60)"
BROKEN = "raise SystemExit('no such library')"


def contender(name: str, program: str, *, optional: bool = False) -> Contender:
    """A server that is a line of Python."""
    return Contender(name=name, command=(sys.executable, "-c", program), optional=optional)


def test_an_optional_server_that_does_not_start_is_left_out(tmp_path: Path) -> None:
    """The others run, and it is known why it does not."""
    left_out: dict[str, str] = {}
    starts = [
        (contender("peer", BROKEN, optional=True), tmp_path),
        (contender("ours", READY), tmp_path),
    ]

    with running(starts, left_out) as servers:
        assert [("ours", "127.0.0.1:1")] == [(each.name, each.address) for each in servers]

    assert ["peer"] == list(left_out)
    assert "no such library" in left_out["peer"]


def test_another_server_that_does_not_start_ends_the_comparison(tmp_path: Path) -> None:
    """It is an error that shows the end of its log."""
    starts = [(contender("ours", BROKEN), tmp_path), (contender("naive", READY), tmp_path)]

    with pytest.raises(LoadError, match="ours did not start: no such library"), running(starts, {}):
        pass
