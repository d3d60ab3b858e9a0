"""The settings of the server."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from saccade_server.config import (
    ServerConfig,
    flag,
    parse_arguments,
    parse_config,
    variable,
)
from saccade_server.errors import ConfigError

FIELDS = fields(ServerConfig)
NUMBERS = [item.name for item in FIELDS if type(item.default) in (int, float)]
WHOLE_NUMBERS = [item.name for item in FIELDS if type(item.default) is int]
CHOSEN = {item.name: item.metadata["choices"] for item in FIELDS if item.metadata["choices"]}

# The least value of each number, and the most where there is one.
LEAST = {
    "latest_versions": 0,
    "poll_s": 0,
    "rollback_s": 0,
    "workers": 1,
    "grpc_port": 0,
    "http_port": 0,
    "max_batch_images": 1,
    "max_queue_images": 1,
    "max_request_images": 1,
    "max_image_pixels": 1,
    "max_message_mb": 1,
    "max_inflight": 1,
    "max_connections": 1,
    "max_concurrent_streams": 1,
    "max_header_kb": 1,
    "keepalive_s": 1,
    "keepalive_timeout_s": 1,
    "idle_s": 1,
    "mirror_gb": 1,
    "receive_s": 1,
    "decode_threads": 0,
    "engine_workers": 0,
    "engine_threads": 0,
    "busy_poll_s": 0,
    "niceness": 0,
    "linger_s": 0,
    "drain_s": 0,
}
MOST = {
    "grpc_port": 65535,
    "http_port": 65535,
    "max_message_mb": 2047,
    "max_inflight": 1_000_000,
    "max_connections": 1_000_000,
    "max_concurrent_streams": 100_000,
    "max_header_kb": 128,
    "receive_s": 86_400,
    "niceness": 19,
    "keepalive_s": 86_400,
    "keepalive_timeout_s": 86_400,
    "idle_s": 86_400,
}


def sample(item: Any) -> tuple[str, Any]:
    """A text for a setting, other than its default, and the value that it means."""
    if choices := item.metadata["choices"]:
        return choices[-1], choices[-1]
    if item.name == "fairness_key":
        return "x-client", "x-client"
    samples: dict[type, tuple[str, Any]] = {
        bool: ("true", True),
        int: ("7", 7),
        float: ("2.5", 2.5),
        str: ("::1", "::1"),
    }
    if item.name == "trace_endpoint":
        return "http://[::1]:4317", "http://[::1]:4317"
    return samples.get(type(item.default), ("/models", Path("/models")))


def refusal(given: dict[str, str], environment: dict[str, str] | None = None) -> str:
    """The text with which settings are refused."""
    with pytest.raises(ConfigError) as refused:
        parse_config(given, environment or {})
    return str(refused.value)


@pytest.mark.parametrize("item", FIELDS, ids=lambda item: item.name)
def test_every_setting_has_a_flag(item: Any) -> None:
    """`--like-this`."""
    text, expected = sample(item)
    config = parse_arguments([flag(item), text], {})

    assert expected == getattr(config, item.name)


@pytest.mark.parametrize("item", FIELDS, ids=lambda item: item.name)
def test_every_setting_has_a_variable(item: Any) -> None:
    """`SACCADE_LIKE_THIS`."""
    text, expected = sample(item)
    config = parse_arguments([], {variable(item): text})

    assert expected == getattr(config, item.name)


@pytest.mark.parametrize("item", FIELDS, ids=lambda item: item.name)
def test_every_setting_has_a_default(item: Any) -> None:
    """Nothing has to be set."""
    assert item.default == getattr(parse_arguments([], {}), item.name)


@pytest.mark.parametrize("item", FIELDS, ids=lambda item: item.name)
def test_a_flag_wins_over_a_variable(item: Any) -> None:
    """What was typed just now counts."""
    text, expected = sample(item)
    config = parse_arguments([flag(item), text], {variable(item): str(item.default)})

    assert expected == getattr(config, item.name)


@pytest.mark.parametrize("item", FIELDS, ids=lambda item: item.name)
def test_every_setting_says_how_to_choose_it(item: Any) -> None:
    """Its help is there."""
    assert len(item.metadata["help"]) > 10


def test_the_ports_are_those_of_tensorflow_serving() -> None:
    """Clients that know that server find this one."""
    config = ServerConfig()

    assert (8500, 8501) == (config.grpc_port, config.http_port)


def test_nobody_else_is_let_in_by_default() -> None:
    """Without a word from its owner the server listens on this machine only."""
    assert "127.0.0.1" == ServerConfig().host


LOCAL = ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "LocalHost"]
REACHABLE = ["0.0.0.0", "::", "[::]", "10.0.0.7", "fe80::1", "serving.example", "localhost.example"]


@pytest.mark.parametrize("host", LOCAL)
def test_this_machine_may_ask_without_credentials(host: str) -> None:
    """Whatever loopback is called."""
    assert host == parse_config({"host": host}, {}).host


@pytest.mark.parametrize("host", [*REACHABLE, "", "127.0.0.1.example"])
def test_others_are_let_in_by_no_oversight(host: str) -> None:
    """The text says what to set."""
    text = refusal({"host": host})

    assert [] == [word for word in ("--token-file", "--tls-cert", "--insecure") if word not in text]


def test_an_empty_variable_lets_nobody_in() -> None:
    """A template whose secret is missing makes a server that does not start."""
    environment = {"SACCADE_HOST": "0.0.0.0", "SACCADE_TOKEN_FILE": ""}

    assert refusal({}, environment).startswith("--host 0.0.0.0 is within reach")


@pytest.mark.parametrize(
    "flags",
    [["--token-file=tokens"], ["--tls-cert=c.pem", "--tls-key=k.pem"], ["--insecure"]],
    ids=" ".join,
)
def test_others_are_let_in_on_purpose(flags: list[str]) -> None:
    """By tokens, by TLS, or by the word of who knows the network."""
    assert "0.0.0.0" == parse_arguments(["--host=0.0.0.0", *flags], {}).host


@pytest.mark.parametrize("text", ["yes", "1", ""])
def test_what_is_no_truth_is_refused(text: str) -> None:
    """A misspelt word must not pass for a yes or a no."""
    expected = f"--insecure (SACCADE_INSECURE) must be true or false, got {text!r}"
    assert expected == refusal({}, {"SACCADE_INSECURE": text})


def test_variables_of_others_are_passed_over() -> None:
    """Kubernetes sets such ones for a Service named saccade."""
    environment = {
        "SACCADE_SERVICE_HOST": "10.0.0.7",
        "SACCADE_PORT": "tcp://10.0.0.7:8500",
        "GRPC_PORT": "1",
        "HOST": "elsewhere",
    }

    assert ServerConfig() == parse_config({}, environment)


def test_every_number_has_a_range() -> None:
    """A new setting needs a line in the table above."""
    assert set(NUMBERS) == set(LEAST)


@pytest.mark.parametrize("name", NUMBERS)
def test_the_least_value_is_accepted(name: str) -> None:
    """The range includes its ends."""
    assert LEAST[name] == getattr(parse_config({name: str(LEAST[name])}, {}), name)


@pytest.mark.parametrize("name", NUMBERS)
def test_less_is_refused(name: str) -> None:
    """The text names the flag, the range and the value."""
    value = LEAST[name] - 1
    shown = value if name in WHOLE_NUMBERS else float(value)
    limits = f"{LEAST[name]} to 65535" if name.endswith("port") else f"at least {LEAST[name]}"

    expected = f"--{name.replace('_', '-')} must be {limits}, got {shown}"
    assert expected == refusal({name: str(value)})


@pytest.mark.parametrize("name", MOST)
def test_the_most_is_accepted(name: str) -> None:
    """The range includes its ends."""
    assert MOST[name] == getattr(parse_config({name: str(MOST[name])}, {}), name)


@pytest.mark.parametrize("name", MOST)
def test_more_is_refused(name: str) -> None:
    """The text names the flag and the value."""
    text = refusal({name: str(MOST[name] + 1)})

    assert (True, True) == (
        text.startswith(f"--{name.replace('_', '-')} must be "),
        text.endswith(f"{MOST[name]}, got {MOST[name] + 1}"),
    )


@pytest.mark.parametrize("name", WHOLE_NUMBERS)
@pytest.mark.parametrize("text", ["many", "1.5", "", "tcp://10.0.0.7:8500"])
def test_what_is_no_whole_number_is_refused(name: str, text: str) -> None:
    """The text names the flag, the variable and what was given."""
    expected = (
        f"--{name.replace('_', '-')} (SACCADE_{name.upper()}) must be a whole number, got {text!r}"
    )
    assert expected == refusal({}, {f"SACCADE_{name.upper()}": text})


@pytest.mark.parametrize("name", ["linger_s", "drain_s"])
def test_what_is_no_number_is_refused(name: str) -> None:
    """The text names the flag, the variable and what was given."""
    expected = f"--{name.replace('_', '-')} (SACCADE_{name.upper()}) must be a number, got '5s'"
    assert expected == refusal({name: "5s"})


@pytest.mark.parametrize("name", ["linger_s", "drain_s"])
@pytest.mark.parametrize("text", ["nan", "inf"])
def test_a_wait_without_end_is_refused(name: str, text: str) -> None:
    """A server that is told to stop does."""
    assert refusal({name: text}).startswith(f"--{name.replace('_', '-')} must be ")


@pytest.mark.parametrize("name", CHOSEN)
def test_what_is_not_among_the_choices_is_refused(name: str) -> None:
    """The text names them all."""
    expected = f"--{name.replace('_', '-')} must be one of {', '.join(CHOSEN[name])}"
    assert refusal({name: "abacus"}).startswith(expected)


def test_settings_do_not_change() -> None:
    """They are parsed once; what reads them later sees the same."""
    with pytest.raises(AttributeError):
        ServerConfig().host = "0.0.0.0"  # type: ignore[misc]


def test_one_process_among_several_takes_no_models_in() -> None:
    """A model that one worker loads on a caller's word would be unknown to the others."""
    with pytest.raises(ConfigError, match="--model-control explicit needs --workers 1"):
        ServerConfig(model_control="explicit", workers=2)


@pytest.mark.parametrize("key", ["X-Client", "who is it", "client-bin"])
def test_a_fairness_key_that_no_call_can_have_is_refused(key: str) -> None:
    """All calls would count as one client's, in silence."""
    assert refusal({"fairness_key": key}).startswith(f"--fairness-key {key!r} is no name")
