"""The tests of the compiled server (`make test COMPILED=1`) run the compiled server."""

import importlib
import os
from pathlib import Path

import pytest

import saccade_server
from saccade_server.services import classifier

COMPILED = "COMPILED" in os.environ


@pytest.mark.skipif(not COMPILED, reason="the server is not compiled: make test COMPILED=1")
def test_what_is_compiled_is_run_by_the_tests() -> None:
    """Not the sources beside it."""
    root = Path(saccade_server.__file__).parent
    modules = sorted(path.relative_to(root.parent) for path in root.rglob("*.so"))
    names = [".".join((*path.parts[:-1], path.name.split(".")[0])) for path in modules]
    files = [importlib.import_module(name).__file__ for name in names]

    assert (True, [str(root.parent / path) for path in modules]) == (len(names) > 50, files)


@pytest.mark.skipif(COMPILED, reason="the server is compiled")
def test_the_sources_are_run_by_the_tests() -> None:
    """No module that somebody's build has left beside them is preferred."""
    assert classifier.__file__.endswith(".py")
