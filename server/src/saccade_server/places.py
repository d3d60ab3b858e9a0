"""Where models lie: in a folder of this machine, or in a store that has a mirror on it.

A store is whatever fsspec can list by a URL, such as a bucket. The name of a mirror's folder is the
URL itself, quoted: so each of the two can be told from the other, and a person can read it.
"""

import re
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from saccade_server.errors import ConfigError

MAX_NAME_CHARACTERS = 255
"""Of a folder, on the usual file systems."""

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_FILE = "file://"


def is_url(text: str) -> bool:
    """Whether a setting names a store and not a folder."""
    return bool(_URL.match(text)) and not text.startswith(_FILE)


def local_folder(text: str, cache: Path) -> Path:
    """The folder that a setting means: the one that it names, or the mirror of a store.

    Args:
        text: A path, or a URL.
        cache: Where mirrors are.

    Raises:
        ConfigError: A URL that has no mirror; the text says why.
    """
    if not is_url(text):
        return Path(text.removeprefix(_FILE))
    parts = urlsplit(text)
    if parts.password or parts.query or parts.fragment:
        raise ConfigError(
            f"{parts.scheme}://{parts.hostname}: credentials and options have no place in a URL "
            "that is logged: give them as the store's own library expects them"
        )
    if "::" in text or ".." in text.split("/"):
        raise ConfigError(f"{text} is no plain URL of a folder")
    name = quote(text.rstrip("/"), safe="")
    if len(name) > MAX_NAME_CHARACTERS:
        raise ConfigError(f"{text} is too long: its mirror would have no name")
    return mirrors(cache) / name


def store_url(path: Path, cache: Path) -> str:
    """The URL that a folder mirrors; empty where it is no mirror's.

    Args:
        path: A mirror, or something below one.
        cache: Where mirrors are.
    """
    if not path.is_relative_to(mirrors(cache)) or path == mirrors(cache):
        return ""
    name, *below = path.relative_to(mirrors(cache)).parts
    return "/".join([unquote(name), *below])


def mirrors(cache: Path) -> Path:
    """The folder of all mirrors."""
    return cache.absolute() / "stores"
