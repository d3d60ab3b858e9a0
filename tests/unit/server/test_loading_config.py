"""What the settings say about the processors, as engines are told."""

import pytest

from saccade_server import app
from saccade_server.config import ServerConfig


@pytest.mark.parametrize(
    ("threads", "shares", "spare"),
    [(0, False, False), (1, False, True), (2, False, False), (4, False, False), (1, True, False)],
)
def test_processors_are_spare_where_one_server_is_told_to_leave_some(
    monkeypatch: pytest.MonkeyPatch, threads: int, shares: bool, spare: bool
) -> None:
    """Of two processors; one of several servers has a share, and leaves the rest to the others."""
    monkeypatch.setattr(app, "available_cpus", lambda: 2)
    config = ServerConfig(engine_threads=threads)

    engines = app.loading_config(config, shares=shares).engines

    assert (threads or 2, spare) == (engines.threads, engines.spare)
