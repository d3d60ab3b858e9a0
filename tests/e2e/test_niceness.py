"""Which threads of a server go first."""

import os
import sys
from collections import Counter
from pathlib import Path

import pytest

from conftest import StartServer
from fixtures.server_process import ServerProcess
from saccade import Client

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

COMPUTING = 4
"""The thread that loads, the engine's, the second one that LiteRT starts for it, and one that
decodes."""


def niceness_of_threads(server: ServerProcess) -> Counter[int]:
    """How many threads are how nice, the first one's left out."""
    found: Counter[int] = Counter()
    for task in Path(f"/proc/{server.pid}/task").iterdir():
        if task.name != str(server.pid):
            # The name, in brackets, may hold blanks.
            found[int((task / "stat").read_text().rpartition(")")[2].split()[16])] += 1
    return found


def serve(start_server: StartServer, repository: Path, artifact: Path, *flags: str) -> Counter[int]:
    """The threads of a server that has answered; its first one is as nice as these tests are."""
    server = start_server(
        repository, "--engine-workers=1", "--engine-threads=2", "--decode-threads=1", *flags
    )
    server.wait_ready()
    with Client(server.grpc) as client:
        client.classify((artifact / "assets.extra/golden/3.png").read_bytes())
    assert os.getpriority(os.PRIO_PROCESS, 0) == os.getpriority(os.PRIO_PROCESS, server.pid)
    return niceness_of_threads(server)


def test_what_computes_steps_back_behind_what_answers(
    start_server: StartServer, repository: Path, artifact: Path
) -> None:
    """The threads that LiteRT starts by itself among them."""
    own = os.getpriority(os.PRIO_PROCESS, 0)
    threads = serve(start_server, repository, artifact, "--niceness=5")

    assert COMPUTING == threads[own + 5]


def test_threads_are_equal_by_default(
    start_server: StartServer, repository: Path, artifact: Path
) -> None:
    """Other busy processes may share the processors."""
    threads = serve(start_server, repository, artifact)

    assert [os.getpriority(os.PRIO_PROCESS, 0)] == list(threads)
