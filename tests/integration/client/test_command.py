"""The command against a real server."""

import json
import subprocess
import sys
from pathlib import Path

import grpc
import pytest

from integration.client.servers import (
    BROKEN,
    EchoClassifier,
    Failure,
    make_identity,
    serve,
)
from saccade.__main__ import main

# grpcio sends a timeout in two or three digits, rounded up.
ROUNDING = 1.02


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with two pictures and a broken one."""
    monkeypatch.chdir(tmp_path)
    for name, content in {"a.png": b"cat", "b.jpg": b"dog", "broken.gif": BROKEN}.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.fixture(autouse=True)
def _chosen_server(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SACCADE_SERVER", server)


def test_images_are_shown_in_a_table(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The best class, then the others, then who said so."""
    code = main(["classify", "a.png", "b.jpg"])

    assert (
        0,
        "image  class  score  next\n"
        "a.png  cat    0.750  other 0.250\n"
        "b.jpg  dog    0.750  other 0.250\n"
        "2 classified, 0 failed, echo/3\n",
    ) == (code, capsys.readouterr().out)


def test_one_failed_image_ends_with_1(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whether no image or no file; the others are shown."""
    code = main(["classify", ".", "missing.png"])

    assert (
        1,
        "image        class   score  next\n"
        "a.png        cat     0.750  other 0.250\n"
        "b.jpg        dog     0.750  other 0.250\n"
        "broken.gif   failed         not an image\n"
        "missing.png  failed         cannot read 'missing.png': No such file or directory\n"
        "2 classified, 2 failed, echo/3\n",
    ) == (code, capsys.readouterr().out)


def test_json_is_one_object_an_image(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With all figures, or with the error."""
    main(["classify", "a.png", "broken.gif", "--json"])

    assert [
        {
            "path": "a.png",
            "model": "echo",
            "version": 3,
            "classes": [
                {"label": "cat", "index": 0, "score": 0.75},
                {"label": "other", "index": 1, "score": 0.25},
            ],
        },
        {
            "path": "broken.gif",
            "error": {"code": "INVALID_ARGUMENT", "message": "not an image"},
        },
    ] == [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_flags_reach_the_server(pictures: Path, classifier: EchoClassifier) -> None:
    """Model, version, classes, token, timeout."""
    classifier.token = "t0p"
    chosen = ["--model", "echo", "--version", "3", "--top-k", "2"]
    main(["classify", "a.png", *chosen, "--token", "t0p", "--timeout", "5"])
    (request,), (left,) = classifier.requests, classifier.seconds_left

    assert ("echo", 3, 2, True) == (
        request.model.name,
        request.model.version,
        request.top_k,
        left is not None and left <= 5 * ROUNDING,
    )


def test_the_token_may_stand_in_the_environment(
    pictures: Path, classifier: EchoClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where other users of the machine do not see it."""
    classifier.token = "t0p"
    monkeypatch.setenv("SACCADE_TOKEN", "t0p")

    assert 0 == main(["classify", "a.png"])


def test_tls_files_are_read(pictures: Path, classifier: EchoClassifier) -> None:
    """One of them is enough to encrypt."""
    identity = make_identity()
    Path("ca.pem").write_bytes(identity.certificate)
    credentials = grpc.ssl_server_credentials([(identity.key, identity.certificate)])
    with serve(classifier, credentials) as address:
        assert 0 == main(["classify", "a.png", "--server", address, "--tls-ca", "ca.pem"])


def test_a_refused_call_ends_with_3(
    pictures: Path, classifier: EchoClassifier, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says who refused what."""
    classifier.failures = [Failure(grpc.StatusCode.NOT_FOUND, "no such model")]
    code = main(["classify", "a.png"])

    assert (3, f"saccade: {server}: NOT_FOUND: no such model\n") == (code, capsys.readouterr().err)


def test_what_was_answered_before_a_failed_call_is_shown(
    pictures: Path,
    classifier: EchoClassifier,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Long lists travel in several calls."""
    monkeypatch.setattr("saccade.cli.CALL_IMAGES", 1)
    check_as_before = classifier._check

    def check(context: grpc.ServicerContext) -> None:
        if len(classifier.requests) == 2:
            Failure(grpc.StatusCode.INTERNAL).abort(context)
        check_as_before(context)

    monkeypatch.setattr(classifier, "_check", check)
    code = main(["classify", "a.png", "b.jpg"])

    assert (3, True) == (code, "1 classified, 0 failed" in capsys.readouterr().out)


def test_models_are_shown_in_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a version."""
    code = main(["models"])

    assert (
        0,
        "model  version      state   labels  engine  reason\n"
        "echo   4            failed                  no manifest\n"
        "echo   3 (default)  ready   stable  litert\n",
    ) == (code, capsys.readouterr().out)


def test_models_as_json_are_one_object_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    """States by name."""
    main(["models", "--json"])
    model = json.loads(capsys.readouterr().out)

    assert ("echo", 3, ["FAILED", "READY"]) == (
        model["name"],
        model["default_version"],
        [version["state"] for version in model["versions"]],
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], (0, "SERVING\n")),
        (["--model", "echo"], (0, "SERVING\n")),
        (["--model", "sick"], (1, "NOT_SERVING\n")),
        (["--model", "no such model"], (1, "")),
    ],
    ids=str,
)
def test_health_is_a_probe(
    arguments: list[str], expected: tuple[int, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """0 or 1, and a word."""
    assert expected == (main(["health", *arguments]), capsys.readouterr().out)


def test_a_server_that_is_not_there_is_not_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    """For a probe that is the same as unwell."""
    with serve(EchoClassifier()) as address:
        pass
    code = main(["health", "--server", address])

    assert (1, f"saccade: {address}: UNAVAILABLE: ") == (
        code,
        capsys.readouterr().err[: len(f"saccade: {address}: UNAVAILABLE: ")],
    )


def test_a_reader_that_goes_away_is_no_disaster(pictures: Path) -> None:
    """As in `saccade classify … | head -1`; no trace is left on the screen."""
    command = [sys.executable, "-m", "saccade", "classify", "a.png", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        errors = running.stderr.read()

    assert (141, "") == (running.returncode, errors)
