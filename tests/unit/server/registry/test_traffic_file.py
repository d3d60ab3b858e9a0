"""A traffic file that changes."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from saccade_server.errors import ConfigError
from saccade_server.registry import Traffic, TrafficFile

GOOD = "[digits]\nlabels = { stable = 1 }\n"
OTHER = "[digits]\nlabels = { stable = 2 }\n"
WRONG = "[digits]\nlabels = { stable = 'one' }\n"


class Directions:
    """Keeps what was said."""

    def __init__(self) -> None:
        self.said: list[int] = []

    def direct(self, traffic: Mapping[str, Traffic]) -> None:
        """See `Registry.direct`."""
        self.said.append(traffic["digits"].labels["stable"])


def write(path: Path, content: str | bytes | None) -> None:
    """Makes a file hold something, or removes it."""
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is right."""
    path = tmp_path / "traffic.toml"
    path.write_text(GOOD)
    return path


async def test_it_is_handed_over_when_it_has_changed(path: Path) -> None:
    """And only then."""
    directions = Directions()
    file = TrafficFile(path, directions.direct)
    await file.look()
    await file.look()
    write(path, OTHER)
    await file.look()

    assert [1, 2] == directions.said


async def test_while_it_is_wrong_every_look_fails_and_nothing_is_handed_over(path: Path) -> None:
    """Until it is right again, even if it is what it was."""
    directions = Directions()
    file = TrafficFile(path, directions.direct)
    await file.look()
    write(path, WRONG)
    for _ in range(2):
        with pytest.raises(ConfigError, match="model 'digits': 'stable' in 'labels' must be"):
            await file.look()
    write(path, GOOD)
    await file.look()

    assert [1] == directions.said


@pytest.mark.parametrize("content", [None, b"\xff", b"#" * ((1 << 20) + 1)])
async def test_a_file_that_cannot_be_read_is_told(path: Path, content: bytes | None) -> None:
    """By its name, as what an operator can repair."""
    write(path, content)

    with pytest.raises(ConfigError, match=r"--traffic-file .*traffic\.toml: "):
        await TrafficFile(path, Directions().direct).look()
