"""Folders, and the mirrors of stores."""

from pathlib import Path

import pytest

from saccade_server.errors import ConfigError
from saccade_server.places import local_folder, store_url

CACHE = Path("/cache")


@pytest.mark.parametrize("text", ["models", "/models", "file:///models", "../models", "a:b"])
def test_a_path_is_a_folder(text: str) -> None:
    """With or without the scheme of files."""
    assert Path(text.removeprefix("file://")) == local_folder(text, CACHE)


@pytest.mark.parametrize(
    "url", ["s3://bucket/models", "gs://bucket", "az://box/a b/ü", "https://host:8080/models"]
)
def test_a_mirror_tells_what_it_mirrors(url: str) -> None:
    """It itself, and what is below it."""
    mirror = local_folder(url, CACHE)

    assert [url, f"{url}/digits/1"] == [
        store_url(mirror, CACHE),
        store_url(mirror / "digits" / "1", CACHE),
    ]


def test_a_slash_at_the_end_makes_no_other_mirror() -> None:
    """As nobody means another repository by it."""
    assert local_folder("s3://bucket/models", CACHE) == local_folder("s3://bucket/models/", CACHE)


@pytest.mark.parametrize("path", ["/models/digits", "/cache", "/cache/stores", "/cache/x.tflite"])
def test_other_folders_mirror_nothing(path: str) -> None:
    """Not even those beside the mirrors."""
    assert "" == store_url(Path(path), CACHE)


@pytest.mark.parametrize(
    "url",
    [
        "https://me:secret@host/models",
        "https://host/models?sig=secret",
        "https://host/models#secret",
    ],
)
def test_a_url_holds_no_credentials(url: str) -> None:
    """They would be in the log; the refusal does not show them either."""
    with pytest.raises(ConfigError) as refused:
        local_folder(url, CACHE)

    assert ("https://host: credentials", False) == (
        str(refused.value)[:25],
        "secret" in str(refused.value),
    )


@pytest.mark.parametrize("url", ["s3://a/../b", "zip://x::s3://a", f"s3://{'a' * 300}"])
def test_a_url_that_has_no_mirror_is_refused(url: str) -> None:
    """Before anything is asked for."""
    with pytest.raises(ConfigError):
        local_folder(url, CACHE)
