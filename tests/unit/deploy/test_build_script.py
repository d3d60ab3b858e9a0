"""The script behind `make image`, with builders that only write down what they are asked."""

import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from unit.deploy.dockerfile import ROOT

SCRIPT = ROOT / "deploy" / "image" / "build.sh"
TOOLS = ("bash", "dirname", "sed")


class Machine:
    """A PATH with the shell's tools and such builders as are put there; without git."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked = folder / "asked"
        for tool in TOOLS:
            path = shutil.which(tool)
            assert path, f"{tool} is not installed"
            (folder / tool).symlink_to(path)

    def install(self, builder: str, *, answers: bool = True) -> None:
        """Adds a builder; one that does not answer fails, like docker without its daemon."""
        path = self.folder / builder
        body = f'[[ $1 == info ]] || printf "%s\\n" {builder} "$@" > {self.asked}'
        path.write_text(f"#!{self.folder}/bash\n{body if answers else 'exit 1'}\n")
        path.chmod(0o755)

    def build(self, *arguments: str, **variables: str) -> list[str]:
        """The command that the script ends in."""
        result = self.run(*arguments, **variables)
        assert 0 == result.returncode, result.stderr
        return self.asked.read_text().splitlines()

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(SCRIPT), *arguments],
            env={"PATH": str(self.folder), **variables},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_docker_builds_where_its_daemon_answers(machine: Machine) -> None:
    """The Dockerfile and its context come from the root, whatever the working directory."""
    machine.install("docker")
    machine.install("buildah")

    command = machine.build("saccade-server:1")

    expected = ["docker", "build", "--file", "Dockerfile", "--tag", "saccade-server:1"]
    assert expected == command[:6]


def test_buildah_builds_where_no_daemon_answers(machine: Machine) -> None:
    """In Docker's format: the other one has no health check."""
    machine.install("docker", answers=False)
    machine.install("buildah")

    command = machine.build("saccade-server:1")

    assert ["buildah", "build", "--format", "docker", "--layers"] == command[:5]


def test_without_a_builder_it_says_so(machine: Machine) -> None:
    """It ends with 1."""
    result = machine.run("saccade-server")

    assert 1 == result.returncode
    assert "neither a docker daemon nor buildah found" in result.stderr


@pytest.mark.parametrize("arguments", [(), ("--target", "training")])
def test_without_a_name_it_says_how_to_call_it(
    machine: Machine, arguments: tuple[str, ...]
) -> None:
    """It ends with 2, as commands do that are called wrongly."""
    result = machine.run(*arguments)

    assert 2 == result.returncode
    assert result.stderr.startswith("usage: ")


def build_arguments(command: list[str]) -> dict[str, str]:
    values = [value for name, value in pairwise(command) if name == "--build-arg"]
    return dict(value.split("=", 1) for value in values)


def test_build_arguments_come_from_the_environment(machine: Machine) -> None:
    """An empty value is a value: it leaves TensorFlow out. What is not set keeps its default."""
    machine.install("docker")

    given = build_arguments(machine.build("x", BASE_IMAGE="mirror/python:3.11", SERVER_EXTRAS=""))

    del given["VERSION"]
    assert {"BASE_IMAGE": "mirror/python:3.11", "SERVER_EXTRAS": ""} == given


def test_the_version_is_the_server_s(machine: Machine) -> None:
    """It ends up in the image's label."""
    machine.install("docker")
    project = (ROOT / "server" / "pyproject.toml").read_text()

    given = build_arguments(machine.build("saccade-server"))

    assert f'version = "{given["VERSION"]}"' in project.splitlines()


def test_options_go_to_the_builder_as_they_are(machine: Machine) -> None:
    """After the script's own, so that they win; the context comes last."""
    machine.install("docker")

    command = machine.build("x", "--target", "training", "--volume", "/a b:/c:ro")

    assert ["--target", "training", "--volume", "/a b:/c:ro", "."] == command[-5:]
