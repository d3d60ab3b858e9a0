"""Versions that are copied slowly, are broken on purpose, or whose server is killed."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import grpc
import pytest

from conftest import StartServer
from fixtures.asked import BOUND_S, Asked
from fixtures.processes import children
from fixtures.server_process import ServerProcess
from fixtures.versions import drop_forms, make_version
from saccade_server.artifact import (
    ASSETS,
    GRAPH,
    MANIFEST,
    read_artifact,
    read_manifest,
    write_manifest,
)
from saccade_server.loading import FormStore

FLAGS = ("--poll-s=0.1", "--engine=litert", "--rollback-s=0")


@pytest.fixture
def model(artifact: Path, tmp_path: Path) -> Path:
    """The folder of a model with version 1."""
    folder = tmp_path / "repository" / "digits"
    folder.mkdir(parents=True)
    make_version(artifact, folder, 1)
    return folder


@pytest.fixture
def asked(start_server: StartServer, model: Path) -> Iterator[Asked]:
    """A server of that model, ready."""
    server = start_server(model.parent, *FLAGS)
    server.wait_ready()
    with grpc.insecure_channel(server.grpc) as channel:
        yield Asked(server, channel)


def test_a_slow_copy_goes_live_at_its_end(asked: Asked, model: Path, tmp_path: Path) -> None:
    """File by file, the manifest first and the largest in two halves; every stage waits."""
    made = make_version(model / "1", tmp_path, 2)
    files = sorted(each for each in made.rglob("*") if each.is_file())
    files.sort(key=lambda each: (each.name != "manifest.json", each.stat().st_size))
    reasons: list[str] = []
    for file in files:
        target = model / "2" / file.relative_to(made)
        target.parent.mkdir(parents=True, exist_ok=True)
        data = file.read_bytes()
        target.write_bytes(data[: len(data) // 2])
        if file in (files[0], files[-1]):
            # The look that sees this stage comes after the state of the one before.
            asked.reach(lambda: 2 in asked.versions())
            asked.reach(lambda: asked.versions()[2][1] not in ("", *reasons))
            reasons.append(asked.versions()[2][1])
            assert 1 == asked.answers()
        target.write_bytes(data)
    asked.reach(lambda: asked.answers() == 2)
    # The one before is on show until its memory is given back.
    asked.reach(lambda: list(asked.versions()) == [2])

    assert (["VERSION_STATE_READY"], True) == (
        [state for state, _ in asked.versions().values()],
        all(str(model) not in reason for reason in reasons),
    )


def absurd_shape(folder: Path) -> None:
    """A graph that is said to take huge images."""
    manifest = read_manifest(folder)
    manifest.input.height = manifest.input.width = 8192
    write_manifest(folder, manifest)


def other_shape(folder: Path) -> None:
    """A graph that is said to take other images than it does."""
    manifest = read_manifest(folder)
    manifest.input.height = 29
    write_manifest(folder, manifest)


def path_out(folder: Path) -> None:
    """A golden sample that is a file of the machine."""
    manifest = read_manifest(folder)
    manifest.golden.samples[0].path = "../../../../../../etc/passwd"
    write_manifest(folder, manifest)


def absolute_file(folder: Path) -> None:
    """A checksum of a file of the machine."""
    text = json.loads((folder / MANIFEST).read_text())
    text["files"].append({"path": "/etc/passwd", "bytes": "1", "sha256": "0" * 64})
    (folder / MANIFEST).write_text(json.dumps(text))


def link_out(folder: Path) -> None:
    """Weights that are a link to a file of the machine."""
    (folder / "variables" / "more").symlink_to("/etc/passwd")


def pipe(folder: Path) -> None:
    """A file that can be opened, but not to an end."""
    os.mkfifo(folder / "assets.extra" / "pipe")


def bomb(folder: Path) -> None:
    """A manifest that is larger than any."""
    with (folder / MANIFEST).open("r+b") as file:
        file.truncate(1 << 40)


def rubbish(folder: Path) -> None:
    """A compiled form of random bytes, under the checksum that it has."""
    for form in folder.rglob("*.tflite"):
        form.write_bytes(b"TFL3" + os.urandom(10_000))
    write_manifest(folder, read_manifest(folder))


def cut_form(folder: Path) -> None:
    """A compiled form without its end, under the checksum that it has."""
    for form in folder.rglob("*.tflite"):
        form.write_bytes(form.read_bytes()[:-1000])
    write_manifest(folder, read_manifest(folder))


def sparse(folder: Path) -> None:
    """A file that says it has a terabyte, and takes no room."""
    with (folder / "variables" / "more").open("wb") as file:
        file.truncate(1 << 40)


def endless_json(folder: Path) -> None:
    """A manifest that is nested more deeply than anything."""
    (folder / MANIFEST).write_text('{"a":' * 100_000 + "1" + "}" * 100_000)


def anything_goes(folder: Path) -> None:
    """Golden samples from which every answer differs by less than what is allowed."""
    manifest = read_manifest(folder)
    manifest.golden.max_abs_error = float("nan")
    write_manifest(folder, manifest)


def million_labels(folder: Path) -> None:
    """More classes than the graph has."""
    text = json.loads((folder / MANIFEST).read_text())
    text["class_labels"] = ["x"] * 1_000_001
    (folder / MANIFEST).write_text(json.dumps(text))


def deceiving_name(folder: Path) -> None:
    """A file whose name would be a line of the log."""
    os.mkfifo(folder / "pipe\nERROR all is lost \x1b[31m")


def noise(folder: Path) -> None:
    """A compiled form of random bytes that do not even begin as one."""
    for form in folder.rglob("*.tflite"):
        form.write_bytes(os.urandom(10_000))
    write_manifest(folder, read_manifest(folder))


def rubbish_graph(folder: Path) -> None:
    """A SavedModel of random bytes, under the checksum that it has."""
    (folder / GRAPH).write_bytes(os.urandom(10_000))
    write_manifest(folder, read_manifest(folder))


def device(file: Path) -> None:
    """Zeros without end; a link to them where only root may make the device."""
    try:
        os.mknod(file, stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except PermissionError:
        file.symlink_to("/dev/zero")


def unix_socket(file: Path) -> None:
    """What cannot be opened at all."""
    os.mknod(file, stat.S_IFSOCK | 0o600)


def in_place_of(name: str, make: Callable[[Path], None]) -> Callable[[Path], None]:
    """Something else where the version needs a file."""

    def spoil(folder: Path) -> None:
        file = next(folder.glob(name))
        file.unlink()
        make(file)

    spoil.__name__ = f"{make.__name__} for {name}"
    return spoil


NEEDED = (MANIFEST, GRAPH, f"{ASSETS}/litert/*.tflite", f"{ASSETS}/golden/0.png")

HOSTILE = [
    sparse,
    endless_json,
    anything_goes,
    million_labels,
    deceiving_name,
    absurd_shape,
    other_shape,
    path_out,
    absolute_file,
    link_out,
    pipe,
    bomb,
    rubbish,
    cut_form,
    noise,
    rubbish_graph,
    *(in_place_of(name, make) for name in NEEDED for make in (os.mkfifo, device, unix_socket)),
]


@pytest.mark.timeout(300)
def test_hostile_versions_are_refused(asked: Asked, model: Path, tmp_path: Path) -> None:
    """Each with a reason that holds no path of the server; the old one answers on."""
    for number, spoil in enumerate(HOSTILE, start=2):
        made = make_version(model / "1", tmp_path, number)
        spoil(made)
        made.rename(model / str(number))
        asked.reach(lambda number=number: asked.versions().get(number, ("", ""))[1] != "")  # type: ignore[misc]
        state, reason = asked.versions()[number]

        assert ("VERSION_STATE_FAILED", 1, False) == (
            state,
            asked.answers(),
            str(tmp_path) in reason,
        ), (spoil.__name__, reason)
    assert [] == [line for line in asked.server.log.splitlines() if line.startswith("ERROR")]


@pytest.mark.timeout(300)
def test_a_graph_of_random_bytes_is_refused_by_tensorflow_too(
    start_server: StartServer, model: Path, tmp_path: Path, full: bool
) -> None:
    """In a process apart, that may take its time: the old version answers on."""
    if not full:
        pytest.skip("a part of the full run")
    server = start_server(model.parent, "--poll-s=0.1")
    server.wait_ready()
    made = make_version(model / "1", tmp_path, 2)
    drop_forms(made)
    rubbish_graph(made)
    made.rename(model / "2")
    with grpc.insecure_channel(server.grpc) as channel:
        asked = Asked(server, channel)
        asked.reach(lambda: asked.versions().get(2, ("", ""))[1] != "")
        state, reason = asked.versions()[2]
        answered = asked.answers()

    assert ("VERSION_STATE_FAILED", 1, False) == (state, answered, str(tmp_path) in reason), reason


@pytest.mark.timeout(600)
def test_a_server_killed_while_it_compiles_leaves_a_cache_that_works(
    start_server: StartServer, artifact: Path, tmp_path: Path, full: bool
) -> None:
    """At whatever moment: the next one serves; what is in the cache is whole."""
    for number, delay_s in enumerate((0.0, 2.0, 4.0, 6.0, 8.0) if full else (0.0,)):
        root, cache = tmp_path / f"repository-{number}", tmp_path / f"cache-{number}"
        shutil.copytree(artifact, root / "digits" / "1")
        drop_forms(root / "digits" / "1")
        flags = (f"--cache-dir={cache}",)
        first = start_server(root, *flags)
        first.wait_ready()
        kill_compiling(first, delay_s)
        second = start_server(root, *flags)
        second.wait_ready()
        with grpc.insecure_channel(second.grpc) as channel:
            answered = Asked(second, channel).answers()
        found = FormStore(cache).find(read_artifact(root / "digits" / "1"))
        second.kill()

        assert (1, True) == (answered, found is None or found.stat().st_size > 0)


def kill_compiling(server: ServerProcess, delay_s: float) -> None:
    """Kills a server and what compiles for it, some time after that has begun."""
    end = time.monotonic() + BOUND_S
    while not (compilers := children(server.pid)):
        assert time.monotonic() < end, server.log
        time.sleep(0.02)
    time.sleep(delay_s)
    server.kill()
    for pid in compilers:
        # It may be done by now.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_a_form_that_ended_the_server_is_tried_apart_first(
    start_server: StartServer, model: Path, tmp_path: Path
) -> None:
    """Or else each start would end the same way."""
    cache = tmp_path / "cache"
    flags = (*FLAGS, f"--cache-dir={cache}")
    first = start_server(model.parent, *flags)
    end = time.monotonic() + BOUND_S
    while not list(cache.glob("opening/*")):
        assert time.monotonic() < end, first.log
    first.kill()
    second = start_server(model.parent, *flags)
    second.wait_ready()

    assert (True, []) == (
        "it is tried apart first" in second.log,
        list(cache.glob("opening/*")),
    ), second.log


WRITER = """
import sys
from pathlib import Path
from saccade_server.artifact import read_artifact
from saccade_server.loading import FormStore
artifact, form = read_artifact(Path(sys.argv[1])), bytes(200 << 20)
print("writing", flush=True)
while True:
    FormStore(Path(sys.argv[2])).keep(artifact, form)
"""


def test_a_process_killed_while_it_writes_leaves_all_or_nothing(
    artifact: Path, tmp_path: Path, full: bool
) -> None:
    """At whatever moment: the form is not there or is whole."""
    version = tmp_path / "digits" / "1"
    shutil.copytree(artifact, version)
    drop_forms(version)
    store = FormStore(tmp_path / "cache")
    for delay_s in range(20 if full else 3):
        for form in version.rglob("*.tflite"):
            form.unlink()
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(version), str(tmp_path / "cache")],
            stdout=subprocess.PIPE,
        )
        assert writer.stdout is not None
        with writer.stdout as told:
            told.readline()
            time.sleep(delay_s * 0.03)
            writer.kill()
            writer.wait()
        found = store.find(read_artifact(version))

        assert found is None or found.stat().st_size == 200 << 20
