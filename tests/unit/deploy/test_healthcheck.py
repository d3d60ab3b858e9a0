"""The image's health check against the server's own side port."""

import asyncio
import re
import runpy
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fixtures.side_port import make_side_port
from saccade_server.config import ServerConfig
from unit.deploy.dockerfile import ROOT, read_stages

SCRIPT = ROOT / "deploy" / "image" / "healthcheck.py"


@dataclass(slots=True)
class Readiness:
    """What the side port says of the server."""

    now: bool = True


@pytest.fixture
def readiness() -> Readiness:
    return Readiness()


@pytest.fixture
async def port(readiness: Readiness) -> AsyncIterator[int]:
    side_port = make_side_port(lambda: readiness.now)
    await side_port.start()
    yield side_port.port
    await side_port.stop()


async def run_check(port: int, *arguments: str) -> tuple[int, str]:
    """Exit code and what it says."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        str(SCRIPT),
        *arguments,
        stderr=asyncio.subprocess.PIPE,
        # A proxy that does not exist: asking through it would fail.
        env={"SACCADE_HTTP_PORT": str(port), "http_proxy": "http://127.0.0.1:9"},
    )
    _, text = await process.communicate()
    assert process.returncode is not None
    return process.returncode, text.decode().strip()


async def test_a_ready_server_is_healthy(port: int) -> None:
    """It exits 0 without a word."""
    assert (0, "") == await run_check(port)


async def test_a_server_that_is_not_ready_is_not_healthy(port: int, readiness: Readiness) -> None:
    """It exits 1 and passes on what the server says."""
    readiness.now = False

    assert (1, "503 not ready") == await run_check(port)


async def test_another_path_can_be_asked(port: int, readiness: Readiness) -> None:
    """A server that is not ready may still be live."""
    readiness.now = False

    assert (0, "") == await run_check(port, "/livez")


async def test_nobody_on_the_port_is_not_healthy() -> None:
    """It exits 1 and names the port."""
    code, text = await run_check(1)

    assert 1 == code
    assert text.startswith("no answer on port 1: ")


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


def test_it_asks_the_default_port_of_the_server(script: dict[str, Any]) -> None:
    """Where no variable says otherwise."""
    assert ServerConfig().http_port == script["DEFAULT_PORT"]


def test_it_gives_up_before_it_is_killed(script: dict[str, Any]) -> None:
    """Its own time limit is below that of HEALTHCHECK, so the reason gets out."""
    [limit] = re.findall(r"--timeout=(\d+)s", read_stages()[-1].last("HEALTHCHECK"))

    assert script["TIMEOUT_S"] < float(limit)


def test_the_image_has_all_that_it_imports() -> None:
    """It uses the standard library only."""
    imports = re.findall(r"^(?:import|from) (\w+)", Path(SCRIPT).read_text(), re.MULTILINE)

    assert set() == set(imports) - sys.stdlib_module_names
