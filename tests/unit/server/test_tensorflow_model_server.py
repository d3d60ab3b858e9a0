"""TensorFlow Serving's flags, and what becomes of them."""

from pathlib import Path

import pytest

from saccade_server.config import parse_config
from saccade_server.errors import ConfigError
from saccade_server.places import store_url
from saccade_server.registry import ModelConfig
from saccade_server.services.tfserving import read_config_file
from saccade_server.tensorflow_model_server import (
    NEEDLESS,
    REFUSED,
    SETTINGS,
    main,
    make_config,
    make_models,
)

CACHE = Path("/cache")
MODEL = {"model_name": "digits", "model_base_path": "/models/digits"}


def refusal(capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, str]:
    """The exit code of the command and what it said."""
    code = main(flags)
    return code, capsys.readouterr().err.strip()


@pytest.mark.parametrize("flag", SETTINGS)
def test_a_flag_sets_ours(flag: str) -> None:
    """Under its name there."""
    config = make_config({**MODEL, flag: "7"}, {})

    assert "7" == str(getattr(config, SETTINGS[flag])).removesuffix(".0")


@pytest.mark.parametrize("text", ["-1", "0"])
def test_polling_can_be_switched_off(text: str) -> None:
    """By TensorFlow Serving's numbers for it."""
    assert 0 == make_config({**MODEL, "file_system_poll_wait_seconds": text}, {}).poll_s


def test_the_ports_are_the_same_without_flags() -> None:
    """8500 and 8501, for all addresses."""
    config = make_config(MODEL, {})

    assert ("0.0.0.0", 8500, 8501) == (config.host, config.grpc_port, config.http_port)


def test_credentials_stay_optional() -> None:
    """As with TensorFlow Serving; our variables set them."""
    config = make_config(MODEL, {"SACCADE_TOKEN_FILE": "/tokens"})

    assert (True, "/tokens") == (config.insecure, config.token_file)


def test_the_models_may_be_changed() -> None:
    """As with TensorFlow Serving."""
    assert "explicit" == make_config(MODEL, {}).model_control


def test_our_variables_set_the_rest() -> None:
    """What TensorFlow Serving has no flag for."""
    config = make_config(MODEL, {"SACCADE_DRAIN_S": "3"})

    assert parse_config({"drain_s": "3"}, {}).drain_s == config.drain_s


def test_the_flags_name_one_model() -> None:
    """By the folder of its versions."""
    expected = [ModelConfig(name="digits", base_path=Path("/models/digits"))]

    assert expected == make_models(MODEL, CACHE)


def test_the_model_s_name_is_default_by_default() -> None:
    """As with TensorFlow Serving."""
    expected = [ModelConfig(name="default", base_path=Path("/models/digits"))]

    assert expected == make_models({"model_base_path": "file:///models/digits"}, CACHE)


def test_the_model_may_be_in_a_store() -> None:
    """By its URL, as with TensorFlow Serving; it is served from the mirror."""
    url = "s3://bucket/digits"
    models = make_models({"model_base_path": url}, CACHE) or []

    assert [url] == [store_url(each.base_path, CACHE) for each in models]


def test_a_file_goes_before_one_model() -> None:
    """As with TensorFlow Serving."""
    assert make_models({**MODEL, "model_config_file": "/models.config"}, CACHE) is None


@pytest.mark.parametrize("flag", sorted(REFUSED))
def test_a_flag_that_is_not_offered_is_refused(
    capsys: pytest.CaptureFixture[str], flag: str
) -> None:
    """It would change answers, or who may ask."""
    expected = f"tensorflow_model_server: --{flag}: {REFUSED[flag]}"

    assert (2, expected) == refusal(capsys, "--model_base_path=/m", f"--{flag}=x")


@pytest.mark.parametrize("flag", sorted(NEEDLESS))
def test_a_flag_that_only_tunes_is_passed_over(flag: str) -> None:
    """The server starts as without it."""
    assert make_config(MODEL, {}) == make_config({**MODEL, flag: "x"}, {})


def test_without_a_model_nothing_starts(capsys: pytest.CaptureFixture[str]) -> None:
    """The text says which flags are wanted."""
    expected = "tensorflow_model_server: set --model_base_path or --model_config_file"

    assert (2, expected) == refusal(capsys, "--port=0")


def test_an_unknown_flag_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt one would be passed over in silence."""
    with pytest.raises(SystemExit) as ended:
        main(["--model_base_path=/m", "--modelname=x"])

    assert 2 == ended.value.code


CONFIG = """
model_config_list {
  config { name: "digits" base_path: "/models/digits" model_platform: "tensorflow"
           model_version_policy { specific { versions: 1 versions: 2 } }
           version_labels { key: "stable" value: 1 } }
  config { name: "cats" base_path: "/models/cats" model_version_policy { all {} } }
  config { name: "ants" base_path: "gs://bucket/ants" }
  config { name: "dogs" base_path: "/models/dogs" model_version_policy { latest { } } }
}
"""


def test_a_config_file_is_read(tmp_path: Path) -> None:
    """Names, folders, policies, labels."""
    file = tmp_path / "models.config"
    file.write_text(CONFIG)
    read = {
        each.name: (
            store_url(each.base_path, CACHE) or str(each.base_path),
            each.policy.choose([1, 2, 3]),
            dict(each.labels),
        )
        for each in read_config_file(file, CACHE)
    }

    assert {
        "digits": ("/models/digits", [2, 1], {"stable": 1}),
        "cats": ("/models/cats", [3, 2, 1], {}),
        "ants": ("gs://bucket/ants", [3], {}),
        "dogs": ("/models/dogs", [3], {}),
    } == read


@pytest.mark.parametrize("text", ["model_config_list {", "models {}", "custom_model_config {}"])
def test_a_file_of_another_form_is_a_wrong_setting(tmp_path: Path, text: str) -> None:
    """The process does not start."""
    file = tmp_path / "models.config"
    file.write_text(text)

    with pytest.raises(ConfigError):
        read_config_file(file, CACHE)
