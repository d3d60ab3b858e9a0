"""The traffic file, read again when it changes."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from saccade_server.errors import ConfigError
from saccade_server.registry.traffic import Traffic, parse_traffic

log = logging.getLogger(__name__)

MAX_BYTES = 1 << 20


class TrafficFile:
    """Hands over what a file says, when it says something else.

    Args:
        path: Of the file.
        direct: Gets it; see `Registry.direct`.
    """

    def __init__(self, path: Path, direct: Callable[[Mapping[str, Traffic]], None]) -> None:
        self._path = path
        self._direct = direct
        self._said: bytes | None = None

    async def look(self) -> None:
        """Reads the file; what was said before stays in force if it is wrong.

        Raises:
            ConfigError: It is wrong, or cannot be read.
        """
        try:
            said = await asyncio.to_thread(_read, self._path)
            if said == self._said:
                return
            self._direct(parse_traffic(said.decode()))
        except OSError as error:
            raise ConfigError(f"--traffic-file {self._path}: {error.strerror}") from None
        except (ConfigError, UnicodeDecodeError) as error:
            raise ConfigError(f"--traffic-file {self._path}: {error}") from None
        if self._said is not None:
            log.info("what %s says of traffic is in force", self._path)
        self._said = said


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        said = file.read(MAX_BYTES + 1)
    if len(said) > MAX_BYTES:
        raise ConfigError(f"it is larger than {MAX_BYTES} bytes")
    return said
