"""The API's methods of the server in this process."""

import grpc.aio
import pytest

from integration.server.tfserving.asking import Ask, asker


@pytest.fixture
def ask(tiny_channel: grpc.aio.Channel) -> Ask:
    """Calls a method: (name, request)."""
    return asker(tiny_channel)
