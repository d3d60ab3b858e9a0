"""The official client, or a reason to skip."""

from pathlib import Path

import pytest

from integration.tfserving_client.packages import Unavailable, client_packages


@pytest.fixture(scope="session")
def packages() -> Path:
    """Where the official client is."""
    try:
        return client_packages()
    except Unavailable as reason:
        pytest.skip(str(reason))
