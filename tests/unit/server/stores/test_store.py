"""Finding the library that a URL needs."""

import sys

import pytest

from saccade_server.errors import ConfigError
from saccade_server.stores.store import open_store


def test_without_the_extra_a_url_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The text says what to install."""
    monkeypatch.setitem(sys.modules, "fsspec", None)

    with pytest.raises(ConfigError, match=r"install saccade-server\[remote\]"):
        open_store("s3://bucket/models")


@pytest.mark.parametrize(
    ("url", "package"), [("s3://b/m", "s3fs"), ("gs://b/m", "gcsfs"), ("az://b/m", "adlfs")]
)
def test_a_package_that_is_missing_is_named(
    url: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the name under which it is installed."""
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(ConfigError, match=f"that is not here: install {package}$"):
        open_store(url)


def test_a_kind_of_store_that_there_is_not_is_refused() -> None:
    """The text names it."""
    with pytest.raises(ConfigError, match="nosuch"):
        open_store("nosuch://bucket/models")
