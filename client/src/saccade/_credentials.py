"""Bearer tokens: what they may hold, where they are read from, and whom they may be shown to."""

import ipaddress
import re
from pathlib import Path

from saccade._errors import InputError

MAX_TOKEN_BYTES = 16 << 10
"""Of a token file; servers take no more in a header."""

_TOKEN = re.compile(r"[\x21-\x7e]+")
_ADDRESSES = re.compile(r"(?:dns:///|dns:|ipv4:|ipv6:)?(.+)")
_PORT = re.compile(r"(\[.+\]|[^:]+):[0-9]+")


class TokenFile:
    """A token in a file that others replace, as Kubernetes does with those of service accounts.

    Threads may share it.

    Args:
        path: Holds the token, and perhaps a line end.

    Raises:
        InputError: It cannot be read, or holds no token.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            # In one attribute, so that a thread never sees one without the other.
            self._read = self._look(), self._load()
        except OSError as error:
            raise InputError(f"cannot read the token file {path}: {error.strerror}") from None

    def token(self) -> str:
        """The newest token that was whole.

        A file that goes or turns wrong leaves the last one: it may be in the middle of a
        replacement, and the server says so where the token is no longer valid.
        """
        stamp, token = self._read
        try:
            now = self._look()
            if now != stamp:
                token = self._load()
                self._read = now, token
        except (OSError, InputError):
            pass
        return token

    def _look(self) -> tuple[int, int, int, int]:
        """What differs once the file, or a symbolic link on the way to it, has been replaced."""
        found = self._path.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev

    def _load(self) -> str:
        with self._path.open("rb") as file:
            token = file.read(MAX_TOKEN_BYTES + 1)
        if len(token) > MAX_TOKEN_BYTES:
            raise InputError(f"the token file {self._path} has more than {MAX_TOKEN_BYTES} bytes")
        text = token.decode("utf-8", "replace").strip()
        check_token(text, f"the token in {self._path}")
        return text


def check_token(token: str, what: str = "the token") -> None:
    """Refuses what no header can hold. gRPC would too, but with the secret in its text.

    Raises:
        InputError: It names `what`, and not the token.
    """
    if not _TOKEN.fullmatch(token):
        raise InputError(f"{what} is empty, or holds spaces, line ends or non-ASCII letters")


def is_loopback(target: str) -> bool:
    """Whether a target of gRPC is on this machine, without asking a name server."""
    if target.startswith(("unix:", "unix-abstract:")):
        return True
    found = _ADDRESSES.fullmatch(target)
    return found is not None and all(map(_is_local, found[1].split(",")))


def _is_local(address: str) -> bool:
    found = _PORT.fullmatch(address)
    host = (found[1] if found else address).removeprefix("[").removesuffix("]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
