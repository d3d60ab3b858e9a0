"""Bearer tokens and their roles, from a file."""

import hashlib
import hmac
import logging
import stat
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from saccade_server.credentials.stamp import Stamp, stamp
from saccade_server.errors import ConfigError

log = logging.getLogger(__name__)

ROLES = frozenset({"predict", "admin"})
LEAST_LETTERS = 16
"""Of a token: a shorter one could be guessed."""

LOOK_S = 1.0
"""Seconds between two looks at the file, at least."""


class Tokens:
    """The tokens of a file: `TOKEN ROLE[,ROLE]` a line; empty lines and `#` lines are skipped.

    Args:
        path: The file. Of the tokens only digests are kept.
        clock: Seconds of a monotonic clock.

    Raises:
        ConfigError: The file cannot be read, holds no token, or has a wrong line.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._looked = clock()
        self._said = ""
        try:
            self._stamp: Stamp = stamp(path)
            self._roles = _read(path)
        except OSError as error:
            raise ConfigError(f"--token-file {path}: {error.strerror}") from None

    def roles(self, token: str) -> frozenset[str] | None:
        """What the bearer of a token may do; None for a token that is not in the file.

        Takes as long for a wrong token as for a right one: all digests are compared, each in
        constant time.
        """
        if self._clock() - self._looked >= LOOK_S:
            self._look()
        digest = _digest(token)
        found = None
        for known, roles in self._roles.items():
            if hmac.compare_digest(known, digest):
                found = roles
        return found

    def _look(self) -> None:
        """Reads the file again if it is another; keeps the old tokens if it is wrong."""
        self._looked = self._clock()
        try:
            now = stamp(self._path)
            if now == self._stamp:
                return
            self._roles = _read(self._path)
            self._stamp = now
        except (ConfigError, OSError) as error:
            if str(error) != self._said:
                log.error("the old tokens stay valid: %s", error)
            self._said = str(error)
        else:
            self._said = ""
            log.info("%d tokens read from %s", len(self._roles), self._path)


def _read(path: Path) -> Mapping[bytes, frozenset[str]]:
    if path.stat().st_mode & stat.S_IROTH:
        log.warning("everybody on this machine can read %s: chmod 600", path)
    tokens: dict[bytes, frozenset[str]] = {}
    # A byte that is no UTF-8 makes a letter that no token may have.
    text = path.read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        words = line.replace(",", " ").split()
        if not words or words[0].startswith("#"):
            continue
        # The text must not hold the line: it goes to the log.
        where = f"--token-file {path}, line {number}"
        token, roles = line.split()[0], frozenset(words[1:])
        if token != words[0] or not (token.isascii() and token.isprintable()):
            raise ConfigError(f"{where}: a token is printable ASCII without commas")
        if len(token) < LEAST_LETTERS:
            raise ConfigError(f"{where}: a token has at least {LEAST_LETTERS} letters")
        if not roles or not roles <= ROLES:
            raise ConfigError(f"{where}: a token is followed by predict, admin or both")
        tokens[_digest(token)] = tokens.get(_digest(token), frozenset()) | roles
    if not tokens:
        raise ConfigError(f"--token-file {path} holds no token")
    return tokens


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
