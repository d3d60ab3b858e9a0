"""The protocol's methods of the server in this process."""

import grpc.aio
import pytest

from integration.server.inference.asking import Ask, asker


@pytest.fixture
def ask(tiny_channel: grpc.aio.Channel) -> Ask:
    """Calls a unary method: (name, request) or (name, field=...)."""
    return asker(tiny_channel)
