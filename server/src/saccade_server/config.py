"""The settings of the server: one frozen object, from flags, then environment, then defaults.

Each setting is a field of `ServerConfig`; its flag (`--grpc-port`), its environment twin
(`SACCADE_GRPC_PORT`) and its help are derived from it. Only the entry point reads them.
"""

import argparse
import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from saccade_server.errors import ConfigError
from saccade_server.logs import FORMATS

PREFIX = "SACCADE_"
_CACHE = Path("~/.cache/saccade")
_METADATA_KEY = re.compile(r"[0-9a-z_.-]+(?<!-bin)")
_DAY_S = 86_400
_MOST = {
    "max_message_mb": 2047,
    "max_inflight": 1_000_000,
    "max_connections": 1_000_000,
    "max_concurrent_streams": 100_000,
    "max_header_kb": 128,
    "receive_s": _DAY_S,
    "keepalive_s": _DAY_S,
    "keepalive_timeout_s": _DAY_S,
    "idle_s": _DAY_S,
    "niceness": 19,
}
"""Beyond it numbers of gRPC's or the system's would overflow, or memory have no bound."""


def setting(default: Any, help: str, choices: tuple[str, ...] = ()) -> Any:  # noqa: A002
    """A field with what its flag needs. `help` says the unit and how to choose."""
    return field(default=default, metadata={"help": help, "choices": choices})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """All settings, checked.

    Raises:
        ConfigError: A value is out of range; the text names the flag.
    """

    model_repository: str = setting(
        "models/repository",
        "folder of <model>/<version>/, or its URL in a store (s3://bucket/models, gs://, az://, "
        "https://), which is mirrored",
    )
    model_config_file: str = setting(
        "",
        "file that says which models and versions to serve, in TensorFlow Serving's form; "
        "none: the newest version of every model of the repository",
    )
    latest_versions: int = setting(
        1,
        "versions of a model that are served, the newest ones; 0: all; "
        "for models that the config file does not name",
    )
    poll_s: float = setting(
        2.0, "seconds between two looks for new models and versions; 0: only when asked to"
    )
    traffic_file: str = setting(
        "",
        "TOML file with labels, shares of the traffic and shadow copies, by model; "
        "read again every --poll-s",
    )
    rollback_s: float = setting(
        300.0,
        "seconds during which a new version that is clearly worse gives way to the one before, "
        "which stays loaded as long; 0: never",
    )
    host: str = setting("127.0.0.1", "address to listen on; 0.0.0.0 for all")
    insecure: bool = setting(
        False,
        "allows a --host that others can reach without TLS or tokens: for private networks "
        "that a mesh or a network policy guards",
    )
    grpc_port: int = setting(8500, "TCP port of the gRPC APIs; 0 takes a free one")
    http_port: int = setting(8501, "TCP port of metrics and probes; 0 takes a free one")
    transport: str = setting(
        "grpcio",
        "what speaks gRPC: grpcio's core, or an HTTP/2 of our own that costs less",
        ("grpcio", "http2"),
    )
    engine: str = setting(
        "auto",
        "what runs the graphs: auto takes the quickest that the artifact allows",
        ("auto", "mnn", "litert", "tensorflow"),
    )
    workers: int = setting(
        1, "server processes on the same ports; more help where one is busy beside its engine"
    )
    model_control: str = setting(
        "none",
        "explicit lets every caller load and unload models; for one worker, and callers you trust",
        ("none", "explicit"),
    )
    tls_cert: str = setting(
        "", "PEM file of the gRPC port's certificate and its chain; none: no encryption"
    )
    tls_key: str = setting("", "PEM file of that certificate's private key")
    tls_client_ca: str = setting(
        "", "PEM file of who signs callers' certificates; none: callers need no certificate"
    )
    token_file: str = setting(
        "", "file of bearer tokens, TOKEN predict,admin a line; none: callers need no token"
    )
    max_batch_images: int = setting(
        32, "images in one engine call at most; fewer are taken where a graph is no quicker so"
    )
    max_queue_images: int = setting(
        1024, "images of one model that may wait; beyond it requests are refused at once"
    )
    max_request_images: int = setting(256, "images in one request at most")
    max_image_pixels: int = setting(
        40_000_000, "width times height of one image at most; bounds the memory of decoding"
    )
    max_message_mb: int = setting(64, "MiB of one request at most")
    max_inflight: int = setting(
        4096, "requests under way at most, over all models and APIs; beyond it they are refused"
    )
    fairness_key: str = setting(
        "",
        "metadata or HTTP header that names the client: clients then get equal shares of a queue; "
        "none: first in, first out",
    )
    max_connections: int = setting(
        1000, "gRPC connections at most, below the limit of open files; more are closed at once"
    )
    max_concurrent_streams: int = setting(
        256, "calls under way of one gRPC connection at most; callers wait with more"
    )
    max_header_kb: int = setting(16, "KiB of the metadata of one call at most")
    receive_s: int = setting(
        120, "seconds that a request may take to come whole; longer for slow lines"
    )
    keepalive_s: int = setting(
        60, "seconds of silence after which a gRPC connection's peer is asked whether it lives"
    )
    keepalive_timeout_s: int = setting(20, "seconds that it has to answer")
    idle_s: int = setting(
        900, "seconds without a call after which a gRPC connection is closed politely"
    )
    decode_threads: int = setting(0, "threads that decode images; 0: one for each processor")
    engine_workers: int = setting(
        0, "engine calls of one model at the same time; 0: chosen for the processors"
    )
    engine_threads: int = setting(
        0, "threads of one engine call, or of all together; 0: one for each processor"
    )
    busy_poll_s: float = setting(
        0.001,
        "seconds to look for the next request of a lone caller without sleeping; 0: never, as on "
        "one processor",
    )
    niceness: int = setting(
        0,
        "by which threads that compute step back behind the one that answers, for servers that "
        "have their processors to themselves",
    )
    cache_dir: Path = setting(  # noqa: RUF009
        _CACHE, "for compiled graphs of read-only artifacts, and for mirrors of stores"
    )
    mirror_gb: int = setting(
        16, "GiB that mirrors of stores may take; versions that nobody uses make room for others"
    )
    ready_when: str = setting(
        "all", "what makes the server ready: all of its models, or any of them", ("all", "any")
    )
    linger_s: float = setting(
        5.0,
        "seconds to go on answering after SIGTERM, so that load balancers notice first; "
        "Ctrl-C skips them",
    )
    drain_s: float = setting(20.0, "seconds that requests under way then have to finish")
    log_level: str = setting("info", "least level to log", ("debug", "info", "warning", "error"))

    trace_endpoint: str = setting(
        "",
        "http://HOST:PORT of an OpenTelemetry collector that gets the spans of requests whose "
        "callers record theirs, by OTLP over gRPC; needs the extra `tracing`; none: no spans",
    )
    log_format: str = setting(
        "text", "text for people, or json: one object a line, for machines", FORMATS
    )

    def __post_init__(self) -> None:
        """Checks the ranges."""
        for name in ("grpc_port", "http_port"):
            self._check(name, 0, 65535)
        for name in (
            "workers",
            "max_batch_images",
            "max_queue_images",
            "max_request_images",
            "max_image_pixels",
            "max_message_mb",
            "max_inflight",
            "max_connections",
            "max_concurrent_streams",
            "max_header_kb",
            "receive_s",
            "keepalive_s",
            "keepalive_timeout_s",
            "idle_s",
            "mirror_gb",
        ):
            self._check(name, 1)
        for name, most in _MOST.items():
            if getattr(self, name) > most:
                text = name.replace("_", "-")
                raise ConfigError(f"--{text} must be at most {most}, got {getattr(self, name)}")
        for name in ("latest_versions", "poll_s", "rollback_s"):
            self._check(name, 0)
        for name in (
            "decode_threads",
            "engine_workers",
            "engine_threads",
            "busy_poll_s",
            "niceness",
            "linger_s",
            "drain_s",
        ):
            self._check(name, 0)
        if self.model_control == "explicit" and self.workers > 1:
            raise ConfigError(
                "--model-control explicit needs --workers 1: one would not tell others"
            )
        if not (self.insecure or self.tls_cert or self.token_file or is_loopback(self.host)):
            raise ConfigError(
                f"--host {self.host} is within reach of others, and nothing would ask who they "
                "are: set --token-file or --tls-cert, or --insecure where a mesh or a network "
                "policy guards the server"
            )
        if self.fairness_key and not _METADATA_KEY.fullmatch(self.fairness_key):
            raise ConfigError(
                f"--fairness-key {self.fairness_key!r} is no name of text metadata: lower-case "
                "letters, digits, _, . and -, and not -bin at its end"
            )
        if self.trace_endpoint and not self.trace_endpoint.startswith(("http://", "https://")):
            raise ConfigError("--trace-endpoint must begin with http:// or https://")
        for item in fields(self):
            choices = item.metadata["choices"]
            if choices and getattr(self, item.name) not in choices:
                raise ConfigError(f"{flag(item)} must be one of {', '.join(choices)}")

    def _check(self, name: str, least: int, most: float = float("inf")) -> None:
        value = getattr(self, name)
        if not least <= value <= most or value == float("inf"):
            limits = f"at least {least}" if most == float("inf") else f"{least} to {most}"
            raise ConfigError(f"--{name.replace('_', '-')} must be {limits}, got {value}")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address; of names, only localhost is known to be so."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def flag(item: "Field[Any]") -> str:
    """The command line's name of a field."""
    return "--" + item.name.replace("_", "-")


def variable(item: "Field[Any]") -> str:
    """The environment's name of a field."""
    return PREFIX + item.name.upper()


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Adds a flag for each setting; a flag not given leaves nothing in the namespace."""
    for item in fields(ServerConfig):
        parser.add_argument(
            flag(item),
            default=argparse.SUPPRESS,
            metavar=_type(item).__name__.upper(),
            # The flag of a truth value may stand alone: that means yes.
            nargs="?" if _type(item) is bool else None,
            const="true" if _type(item) is bool else None,
            help=f"{item.metadata['help']} (default {item.default}; {variable(item)})",
        )


def parse_config(given: Mapping[str, str], environment: Mapping[str, str]) -> ServerConfig:
    """Builds the settings.

    Args:
        given: Text by field name, from flags.
        environment: Text by variable name. Others with our prefix are left alone: Kubernetes
            sets SACCADE_SERVICE_HOST and the like for a Service of that name.

    Raises:
        ConfigError: A value cannot be read or is out of range.
    """
    values: dict[str, Any] = {}
    for item in fields(ServerConfig):
        text = given.get(item.name, environment.get(variable(item)))
        if text is not None:
            values[item.name] = _parse(item, text)
    return ServerConfig(**values)


def parse_arguments(arguments: Sequence[str], environment: Mapping[str, str]) -> ServerConfig:
    """Builds the settings from flags, as `saccade-server serve` does; for tests and tools."""
    parser = argparse.ArgumentParser()
    add_flags(parser)
    return parse_config(vars(parser.parse_args(arguments)), environment)


def _type(item: "Field[Any]") -> type:
    kind: type = type(item.default)
    return Path if isinstance(item.default, Path) else kind


def _parse(item: "Field[Any]", text: str) -> Any:
    try:
        return _truth(text) if _type(item) is bool else _type(item)(text)
    except ValueError:
        kinds = {"int": "a whole number", "float": "a number", "bool": "true or false"}
        kind = kinds[_type(item).__name__]
        raise ConfigError(f"{flag(item)} ({variable(item)}) must be {kind}, got {text!r}") from None


def _truth(text: str) -> bool:
    """Raises ValueError for any other word."""
    return ("false", "true").index(text.lower()) == 1
