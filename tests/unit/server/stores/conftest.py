"""A store with a repository, and where its mirror is."""

from pathlib import Path

import pytest

from fixtures.manifests import write_artifact
from fixtures.stores import FakeFiles


@pytest.fixture
def files() -> FakeFiles:
    """An empty store."""
    return FakeFiles()


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """The folder of an artifact."""
    return write_artifact(tmp_path / "made")
