"""The folders of a mirror, and who may remove them."""

import os
from pathlib import Path

import pytest

from saccade_server.registry.repository import scan_repository
from saccade_server.stores.layout import (
    RECORD,
    drop_files,
    fetching,
    follow_model,
    follow_repository,
    put_in_place,
    read_record,
)
from saccade_server.stores.locks import Uses, try_lock, use_lock
from saccade_server.stores.space import make_room

FILES = (("saved_model.pb", 3, 1),)


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """Where a repository is mirrored."""
    return tmp_path / "stores" / "fake"


def bring(version: Path, size: int = 3) -> Path:
    """Puts a version in place."""
    fetching(version).mkdir(parents=True)
    (fetching(version) / "saved_model.pb").write_bytes(bytes(size))
    put_in_place(version, FILES)
    return version


def left(folder: Path) -> list[str]:
    """What is in a model's mirror beside versions and locks."""
    return [each.name for each in folder.glob(".*") if each.name != ".locks"]


def test_a_mirror_shows_what_the_store_has(mirror: Path) -> None:
    """Its versions are empty folders, to be filled when they are asked for."""
    follow_repository(mirror, {"digits": [2, 1], "cats": [7]})

    assert ({"digits": [2, 1], "cats": [7]}, None) == (
        scan_repository(mirror),
        read_record(mirror / "digits" / "1"),
    )


def test_what_has_gone_from_the_store_goes(mirror: Path) -> None:
    """Models, versions, and what was downloaded of them."""
    follow_repository(mirror, {"digits": [2, 1], "cats": [7]})
    bring(mirror / "digits" / "1")
    fetching(mirror / "digits" / "2").mkdir()
    follow_repository(mirror, {"digits": [3]})

    assert ({"digits": [3]}, [], []) == (
        scan_repository(mirror),
        left(mirror / "digits"),
        list((mirror / "digits" / ".locks").iterdir()),
    )


def test_what_is_here_stays(mirror: Path) -> None:
    """As long as the store has it."""
    version = bring(mirror / "digits" / "1")
    follow_repository(mirror, {"digits": [1]})

    assert FILES == read_record(version)


def test_what_has_gone_is_out_of_sight_at_once_and_removed_when_nobody_uses_it(
    mirror: Path,
) -> None:
    """Another server may be loading it just now."""
    version = bring(mirror / "digits" / "1")
    uses = Uses()
    uses.add(version)
    follow_repository(mirror, {"digits": []})
    kept = [each.split("-")[:2] for each in left(version.parent)]
    uses.keep([])
    follow_repository(mirror, {"digits": []})

    assert ([[".leaving", "1"]], {}, []) == (kept, scan_repository(mirror), left(version.parent))


def test_another_content_takes_the_place_of_the_old(mirror: Path) -> None:
    """Also where somebody still uses the old one; that is removed later."""
    version = bring(mirror / "digits" / "1")
    uses = Uses()
    uses.add(version)
    bring(version, size=4)
    size = (version / "saved_model.pb").stat().st_size
    uses.keep([])
    follow_model(version.parent, [1])

    assert (4, []) == (size, left(version.parent))


def test_a_folder_that_was_written_to_before_it_was_fetched_is_replaced(mirror: Path) -> None:
    """As by a compiler that ends after its version was dropped."""
    version = mirror / "digits" / "1"
    (version / "assets.extra").mkdir(parents=True)
    bring(version)

    assert ["saved_model.pb", RECORD] == sorted((x.name for x in version.iterdir()), reverse=True)


def test_a_record_that_is_cut_off_counts_for_nothing(mirror: Path) -> None:
    """The version is fetched again."""
    version = bring(mirror / "digits" / "1")
    (version / RECORD).write_text('[["saved_model.pb", 3')

    assert read_record(version) is None


def test_a_lock_that_was_removed_is_made_anew(tmp_path: Path) -> None:
    """Who waited for the old file holds nothing by it."""
    lock = use_lock(tmp_path / "1")
    with try_lock(lock) as first:
        lock.unlink()
        with try_lock(lock) as second, try_lock(lock) as third:
            assert (True, True, False) == (first, second, third)


def test_room_is_made_by_what_was_used_longest_ago(mirror: Path) -> None:
    """What is left of it is that there is such a version."""
    uses = Uses()
    for number in (2, 1, 3):
        uses.add(bring(mirror / "digits" / str(number), size=1 << 20))
    uses.keep([])
    for seconds, number in enumerate((2, 1, 3)):
        os.utime(use_lock(mirror / "digits" / str(number)), (seconds, seconds))
    make_room(mirror.parent, 1 << 20, (3 << 20) + 50_000, keep=mirror / "digits" / "4")

    assert ({"digits": [3, 2, 1]}, [False, True, True]) == (
        scan_repository(mirror),
        [read_record(mirror / "digits" / number) is not None for number in "213"],
    )


def test_room_is_not_made_by_what_is_used(mirror: Path) -> None:
    """What serves is there for the next start."""
    version = bring(mirror / "digits" / "1", size=1 << 20)
    uses = Uses()
    uses.add(version)
    with pytest.raises(OSError, match="there is no room for 1 MiB more"):
        make_room(mirror.parent, 1 << 20, 1 << 20, keep=mirror / "digits" / "2")

    assert FILES == read_record(version)


def test_room_is_made_by_downloads_that_nobody_goes_on_with(mirror: Path) -> None:
    """They were cut off, and another version is wanted now."""
    beside = fetching(mirror / "digits" / "1")
    beside.mkdir(parents=True)
    (beside / "x").write_bytes(bytes(1 << 20))
    make_room(mirror.parent, 1 << 20, (1 << 20) + 50_000, keep=mirror / "digits" / "2")

    assert not beside.exists()


def test_a_version_that_is_used_is_not_dropped(mirror: Path) -> None:
    """By whichever process."""
    version = bring(mirror / "digits" / "1")
    uses = Uses()
    uses.add(version)
    drop_files(version)

    assert FILES == read_record(version)
