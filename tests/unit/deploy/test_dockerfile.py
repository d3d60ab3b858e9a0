"""The Dockerfile agrees with the server, with .dockerignore and with itself."""

import re
import tomllib
from dataclasses import fields

import pytest

from saccade_server.config import PREFIX, ServerConfig, parse_config, variable
from saccade_server.errors import ConfigError
from unit.deploy.dockerfile import ROOT, Stage, is_ignored, read_stages

STAGES = {stage.name: stage for stage in read_stages()}
SHIPPED = ("training", "serving")


@pytest.fixture
def serving() -> Stage:
    return STAGES["serving"]


@pytest.fixture(params=SHIPPED)
def shipped(request: pytest.FixtureRequest) -> Stage:
    return STAGES[request.param]


def test_the_serving_image_is_the_default() -> None:
    """A build without a target makes the last stage."""
    assert "serving" == list(STAGES)[-1]


def test_the_user_is_numeric_and_not_root(shipped: Stage) -> None:
    """Kubernetes can tell from a number, and only from a number, that it is not root."""
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", shipped.last("USER"))


def test_the_user_is_the_one_that_the_image_creates(shipped: Stage) -> None:
    """Its entry in /etc/passwd has the number of USER."""
    uid, gid = shipped.last("USER").split(":")

    created = "\n".join(shipped.all("RUN"))

    assert f"--gid {gid} saccade" in created
    assert f"--uid {uid} --gid {gid}" in created


def test_the_image_stops_by_the_signal_that_drains(shipped: Stage) -> None:
    """The server drains on SIGTERM."""
    assert "SIGTERM" == shipped.last("STOPSIGNAL")


def test_the_exposed_ports_are_the_server_s() -> None:
    """EXPOSE names the default ports of gRPC and HTTP."""
    defaults = ServerConfig()

    exposed = [int(port) for port in STAGES["serving"].last("EXPOSE").split()]

    assert [defaults.grpc_port, defaults.http_port] == exposed


def test_the_server_knows_every_variable_of_the_image(serving: Stage) -> None:
    """A misspelt variable would be passed over in silence."""
    known = {variable(item) for item in fields(ServerConfig)}

    given = {name for name in serving.pairs("ENV") if name.startswith(PREFIX)}

    assert set() == given - known


def test_the_image_s_variables_make_a_server_that_others_can_reach(serving: Stage) -> None:
    """It listens on all addresses, on the exposed ports, and serves /models."""
    ports = [int(port) for port in serving.last("EXPOSE").split()]

    config = parse_config({}, {**serving.pairs("ENV"), "SACCADE_INSECURE": "true"})

    expected = ("0.0.0.0", *ports, "/models")
    assert expected == (config.host, config.grpc_port, config.http_port, config.model_repository)


def test_the_image_leaves_it_to_its_user_who_may_ask(serving: Stage) -> None:
    """Started without credentials and without a word on that, the server refuses."""
    with pytest.raises(ConfigError, match="--insecure"):
        parse_config({}, serving.pairs("ENV"))


def test_the_repository_s_folder_is_there_to_mount_on(serving: Stage) -> None:
    """A root file system that is read-only cannot grow a mount point."""
    folder = serving.pairs("ENV")["SACCADE_MODEL_REPOSITORY"]

    assert any(f"mkdir {folder}" in text for text in serving.all("RUN"))


@pytest.mark.parametrize(("stage", "project"), [("serving", "server"), ("training", "models")])
def test_the_entry_point_is_an_installed_command(stage: str, project: str) -> None:
    """It starts a script of the distribution, without a shell that would swallow signals."""
    scripts = tomllib.loads((ROOT / project / "pyproject.toml").read_text())["project"]["scripts"]

    command = STAGES[stage].command("ENTRYPOINT")

    assert command[0] in scripts


def test_the_commands_are_found(shipped: Stage) -> None:
    """PATH begins with the folder that pip installs into."""
    prefix = next(text.split()[-1] for text in shipped.all("COPY") if "-dependencies" in text)

    assert f"{prefix}/bin" == shipped.pairs("ENV")["PATH"].split(":")[0]


def test_the_health_check_runs_a_file_of_the_image(serving: Stage) -> None:
    """What HEALTHCHECK starts was copied to that place."""
    script = serving.last("HEALTHCHECK").rstrip("]").split()[-1].strip('"')

    targets = [text.split()[-1] for text in serving.all("COPY")]

    assert script in targets


def test_installed_versions_are_those_of_the_constraints() -> None:
    """Pip reads them for what it installs and for what it builds with."""
    builder = STAGES["builder"].pairs("ENV")

    assert "constraints.txt" in STAGES["builder"].copied
    assert {"/build/constraints.txt"} == {
        builder["PIP_CONSTRAINT"],
        builder["PIP_BUILD_CONSTRAINT"],
    }


def test_the_base_image_is_of_a_fixed_version() -> None:
    """A tag that moves would make another image of the same commit."""
    text = (ROOT / "Dockerfile").read_text()

    assert re.search(r"^ARG BASE_IMAGE=\S+/python:3\.1[1-3]\.\d+-slim-\w+$", text, re.MULTILINE)


def test_the_serving_image_s_extras_exist() -> None:
    """By default it holds extras that saccade-server has, and pip would only warn of others."""
    [default] = re.findall(
        r"^ARG SERVER_EXTRAS=(\S*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE
    )
    project = tomllib.loads((ROOT / "server" / "pyproject.toml").read_text())["project"]

    assert {extra for extra in default.split(",") if extra} <= set(project["optional-dependencies"])


@pytest.mark.parametrize(
    "label", ["title", "description", "licenses", "version", "revision", "created"]
)
def test_the_image_says_what_it_is(shipped: Stage, label: str) -> None:
    """The labels of the Open Container Initiative are set."""
    assert shipped.pairs("LABEL").get(f"org.opencontainers.image.{label}")


COPIED = sorted({source for stage in STAGES.values() for source in stage.copied})


@pytest.mark.parametrize("source", COPIED)
def test_what_is_copied_is_let_in(source: str) -> None:
    """No file that COPY takes, and pip needs, is kept out by .dockerignore."""
    path = ROOT / source
    files = [path] if path.is_file() else [*path.rglob("*.py"), *path.rglob("pyproject.toml")]
    names = [file.relative_to(ROOT).as_posix() for file in files]

    kept_out = [name for name in names if is_ignored(name)]

    assert names
    assert [] == kept_out


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".venv/bin/python",
        "models/repository/digits/1/saved_model.pb",
        "models/data/images.zip",
        "server/src/saccade_server/__pycache__/app.cpython-311.pyc",
        "server/src/saccade_server.egg-info/PKG-INFO",
        "tests/conftest.py",
        "deploy/image/build.sh",
    ],
)
def test_what_no_image_needs_is_kept_out(path: str) -> None:
    """Neither secrets nor gigabytes go to the builder, and tests do not spoil its cache."""
    assert is_ignored(path)
