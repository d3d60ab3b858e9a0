"""A registry whose repository is in a store."""

import logging
import shutil
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from fixtures.clock import FakeClock, settle
from fixtures.manifests import write_artifact
from fixtures.stores import ROOM, FakeFiles, FakeStores
from saccade_server.artifact import ASSETS, Artifact, read_artifact
from saccade_server.errors import ConfigError, EngineError
from saccade_server.metrics import Metrics
from saccade_server.places import local_folder
from saccade_server.registry import Latest, ModelConfig, Registry
from saccade_server.stores.layout import read_record
from saccade_server.stores.mirror import Mirror
from unit.server.registry.conftest import FakeLoader

URL = "fake://bucket/models"
WEIGHTS = "variables/variables.index"


class Serving:
    """A server's registry, its mirror, and the store that both follow.

    Attributes:
        files: What the store holds.
        stores: Who asks it.
        registry: What serves.
    """

    def __init__(self, files: FakeFiles, cache: Path, *, settle_s: float = 0.0) -> None:
        self.files = files
        self.stores = FakeStores(files)
        self.clock = FakeClock()
        self.loader = FakeLoader()
        self.metrics = Metrics(CollectorRegistry())
        self.cache = cache
        self.root = local_folder(URL, cache)
        self.known: Artifact | None = None
        self.registry = Registry(
            self.root,
            self.loader.load,
            self.metrics,
            describe=self._describe,
            policy=Latest(),
            settle_s=3600.0,
            source=Mirror(
                cache,
                self.stores,
                self.metrics,
                max_bytes=ROOM,
                settle_s=settle_s,
                clock=self.clock,
            ),
        )

    async def _describe(self, path: Path) -> Artifact:
        assert self.known is not None
        return self.known

    async def look(self) -> str:
        """Looks once, and lets what leaves go; gives what is wrong with the store."""
        trouble = ""
        try:
            await self.registry.refresh()
        except OSError as error:
            trouble = str(error)
        await settle()
        return trouble

    def shown(self, model: str = "digits") -> list[tuple[int, str]]:
        """The versions of a model and their states."""
        versions = self.registry.models.get(model, [])
        return [(each.version, each.state.value) for each in versions]

    def fetched(self) -> list[str]:
        """The versions that are here."""
        found = self.root.glob("*/*")
        return sorted(f"{x.parent.name}/{x.name}" for x in found if read_record(x) is not None)

    def count(self, name: str, outcome: str) -> float:
        """A counter."""
        return self.metrics.registry.get_sample_value(name, {"outcome": outcome}) or 0.0


@pytest.fixture
def serving(files: FakeFiles, made: Path, tmp_path: Path) -> Serving:
    """A server of a store that has version 1 of `digits`; not open yet."""
    files.upload(made, "bucket/models/digits/1")
    return Serving(files, tmp_path / "cache")


async def test_a_version_is_downloaded_and_served(serving: Serving) -> None:
    """At the start."""
    await serving.registry.open()

    assert ([(1, "ready")], ["digits/1"], 1) == (
        serving.shown(),
        serving.fetched(),
        serving.count("saccade_store_downloads_total", "ok"),
    )


async def test_only_what_the_policy_asks_for_is_downloaded(serving: Serving, made: Path) -> None:
    """Of three versions the newest."""
    serving.files.upload(made, "bucket/models/digits/2")
    serving.files.upload(made, "bucket/models/digits/3")
    await serving.registry.open()

    assert ["digits/3"] == serving.fetched()


async def test_a_new_version_takes_over(serving: Serving, made: Path) -> None:
    """By the next look; the old one stays here for as long as there is room."""
    await serving.registry.open()
    serving.files.upload(made, "bucket/models/digits/2")
    await serving.look()

    assert ([(2, "ready")], ["digits/1", "digits/2"]) == (serving.shown(), serving.fetched())


async def test_a_half_uploaded_version_waits(serving: Serving, made: Path) -> None:
    """The old one answers meanwhile, and the reason can be read."""
    await serving.registry.open()
    serving.files.upload(made, "bucket/models/digits/2")
    del serving.files.files[f"bucket/models/digits/2/{WEIGHTS}"]
    await serving.look()

    assert ([(2, "waiting"), (1, "ready")], f"{WEIGHTS} is missing") == (
        serving.shown(),
        serving.registry.describe("digits", 2).reason,
    )


async def test_what_waits_is_not_asked_for_again_until_it_changes(
    serving: Serving, made: Path
) -> None:
    """But listed; then it goes live."""
    await serving.registry.open()
    serving.files.upload(made, "bucket/models/digits/2")
    weights = serving.files.files.pop(f"bucket/models/digits/2/{WEIGHTS}")
    await serving.look()
    serving.files.read.clear()
    await serving.look()
    read = list(serving.files.read)
    serving.files.files[f"bucket/models/digits/2/{WEIGHTS}"] = weights
    await serving.look()

    assert ([], [(2, "ready")]) == (read, serving.shown())


async def test_at_the_start_an_older_version_stands_in(serving: Serving, made: Path) -> None:
    """It is downloaded in the place of the one that is half uploaded."""
    serving.files.upload(made, "bucket/models/digits/2")
    del serving.files.files[f"bucket/models/digits/2/{WEIGHTS}"]
    await serving.registry.open()

    assert [(2, "waiting"), (1, "ready")] == serving.shown()


async def test_a_version_that_was_removed_goes(serving: Serving, made: Path) -> None:
    """From service and from here; the one before comes back."""
    serving.files.upload(made, "bucket/models/digits/2")
    await serving.registry.open()
    serving.files.remove("bucket/models/digits/2")
    await serving.look()
    await serving.look()

    assert ([(1, "ready")], ["digits/1"], []) == (
        serving.shown(),
        serving.fetched(),
        list(serving.root.glob("*/.leaving*")),
    )


async def test_a_version_that_failed_is_tried_again_when_it_changes(
    serving: Serving, made: Path
) -> None:
    """Its maker has repaired it in its place."""
    serving.loader.failures["digits"] = EngineError("no such operation")
    await serving.registry.open()
    del serving.loader.failures["digits"]
    await serving.look()
    before = serving.shown()
    (made / ASSETS / "note").write_text("repaired")
    serving.files.upload(made, "bucket/models/digits/1")
    await serving.look()

    assert ([(1, "failed")], [(1, "ready")], True) == (
        before,
        serving.shown(),
        (serving.root / "digits" / "1" / ASSETS / "note").exists(),
    )


async def test_a_store_out_of_reach_changes_nothing(serving: Serving) -> None:
    """What serves goes on; it is told and counted."""
    await serving.registry.open()
    serving.files.away = True
    trouble = await serving.look()

    assert (True, [(1, "ready")], 1, True) == (
        trouble.startswith(f"the store {URL} cannot be asked: ConnectionError"),
        serving.shown(),
        serving.count("saccade_store_looks_total", "failed"),
        serving.registry.ready,
    )


async def test_a_store_out_of_reach_is_not_asked_at_every_look(serving: Serving) -> None:
    """The pauses grow; the trouble is told all the while."""
    await serving.registry.open()
    serving.files.away = True
    serving.stores.asked.clear()
    troubles = []
    for _ in range(100):
        troubles.append(await serving.look())
        serving.clock.advance(1.0)

    assert (6, 1) == (len(serving.stores.asked), len(set(troubles)))


async def test_a_store_that_is_back_is_followed_again(serving: Serving, made: Path) -> None:
    """After the pause."""
    await serving.registry.open()
    serving.files.away = True
    await serving.look()
    serving.files.away = False
    serving.files.upload(made, "bucket/models/digits/2")
    serving.clock.advance(60.0)
    await serving.look()

    assert [(2, "ready")] == serving.shown()


async def test_a_start_without_the_store_serves_what_is_here(
    serving: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    """And says so."""
    await serving.registry.open()
    serving.files.away = True
    again = Serving(serving.files, serving.cache)
    with caplog.at_level(logging.WARNING):
        await again.registry.open()

    assert ([(1, "ready")], True) == (
        again.shown(),
        "what was brought here before is served" in caplog.text,
    )


async def test_a_start_without_the_store_and_nothing_here_is_refused(serving: Serving) -> None:
    """The text names the store."""
    serving.files.away = True

    with pytest.raises(ConfigError, match=f"the store {URL} cannot be asked: ConnectionError"):
        await serving.registry.open()


async def test_a_start_without_the_store_serves_the_newest_that_is_here(
    serving: Serving, made: Path
) -> None:
    """A newer one is known of, and never came."""
    await serving.registry.open()
    serving.files.upload(made, "bucket/models/digits/2")
    del serving.files.files[f"bucket/models/digits/2/{WEIGHTS}"]
    await serving.look()
    serving.files.away = True
    again = Serving(serving.files, serving.cache)
    await again.registry.open()

    assert ([(2, "waiting"), (1, "ready")], "the store cannot be asked for it now") == (
        again.shown(),
        again.registry.describe("digits", 2).reason,
    )


async def test_a_download_that_is_cut_off_is_tried_again(serving: Serving, made: Path) -> None:
    """Though nothing has changed in the store; not at once."""
    await serving.registry.open()
    serving.files.upload(made, "bucket/models/digits/2")

    def cut_off(path: str) -> None:
        serving.files.away = path.endswith(WEIGHTS)

    serving.files.on_open = cut_off
    await serving.look()
    waiting = serving.shown(), serving.registry.describe("digits", 2).reason
    serving.files.on_open, serving.files.away = len, False
    serving.files.read.clear()
    await serving.look()
    read = list(serving.files.read)
    serving.clock.advance(60.0)
    await serving.look()

    assert (
        ([(2, "waiting"), (1, "ready")], "it cannot be downloaded now; the log says why"),
        [],
        [(2, "ready")],
    ) == (waiting, read, serving.shown())


async def test_a_hostile_version_fails_and_is_not_asked_for_again(
    serving: Serving, made: Path
) -> None:
    """Until it changes; nothing of it is downloaded."""
    await serving.registry.open()
    serving.files.upload(made, "bucket/models/digits/2")
    serving.files.files["bucket/models/digits/2/../../x"] = b""
    serving.files.read.clear()
    await serving.look()
    failed = serving.shown()
    del serving.files.files["bucket/models/digits/2/../../x"]
    read = list(serving.files.read)
    await serving.look()

    assert ([(2, "failed"), (1, "ready")], [], [(2, "ready")]) == (failed, read, serving.shown())


async def test_a_version_without_checksums_waits_until_it_is_quiet(
    files: FakeFiles, made: Path, tmp_path: Path
) -> None:
    """By the clock here, from when it was first seen as it is."""
    serving = Serving(files, tmp_path / "cache", settle_s=10.0)
    serving.known = read_artifact(shutil.copytree(made, tmp_path / "known"))
    shutil.rmtree(made / ASSETS)
    files.upload(made, "bucket/models/digits/1")
    await serving.registry.open()
    states = [serving.shown()]
    for _ in range(2):
        serving.clock.advance(5.0)
        await serving.look()
        states.append(serving.shown())

    assert [[(1, "waiting")], [(1, "waiting")], [(1, "ready")]] == states


async def test_a_model_by_itself_can_be_in_a_store(serving: Serving, made: Path) -> None:
    """Beside others that are here."""
    here = write_artifact(serving.cache.parent / "models" / "cats" / "4").parent
    there = local_folder(f"{URL}/digits", serving.cache)
    await serving.registry.open(
        [
            ModelConfig(name="cats", base_path=here),
            ModelConfig(name="numbers", base_path=there),
        ]
    )
    serving.files.upload(made, "bucket/models/digits/2")
    await serving.look()

    assert ([(4, "ready")], [(2, "ready")]) == (serving.shown("cats"), serving.shown("numbers"))


async def test_a_model_that_a_caller_loads_is_looked_for_first(
    serving: Serving, made: Path
) -> None:
    """Where nothing is polled, nothing else would find it."""
    await serving.registry.open()
    serving.files.upload(made, "bucket/models/cats/1")
    await serving.registry.load("cats")

    assert [(1, "ready")] == serving.shown("cats")


async def test_two_servers_share_a_mirror(serving: Serving, made: Path) -> None:
    """What one has downloaded, the other serves; what one serves is not taken from it."""
    other = Serving(serving.files, serving.cache)
    await serving.registry.open()
    serving.files.read.clear()
    await other.registry.open()
    serving.files.upload(made, "bucket/models/digits/2")
    serving.files.remove("bucket/models/digits/1")
    await serving.look()
    await serving.look()
    leaving = len(list(serving.root.glob("*/.leaving*")))
    await other.look()
    await other.look()

    assert ([(2, "ready")], [(2, "ready")], 1, 0) == (
        serving.shown(),
        other.shown(),
        leaving,
        len(list(serving.root.glob("*/.leaving*"))),
    )
