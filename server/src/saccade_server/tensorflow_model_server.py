"""The `tensorflow_model_server` command: TensorFlow Serving's flags for this server.

So a deployment of TensorFlow Serving changes its image and keeps its command line. A flag that
would change answers or who may ask, and that is not offered, is refused; one that only tunes
TensorFlow Serving is passed over with a warning.
"""

import argparse
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from saccade_server.__main__ import run_server
from saccade_server.config import ServerConfig, parse_config
from saccade_server.errors import ConfigError
from saccade_server.logs import complain, set_up_logs
from saccade_server.places import local_folder
from saccade_server.registry import ModelConfig

log = logging.getLogger(__name__)

SETTINGS = {
    "port": "grpc_port",
    "rest_api_port": "http_port",
    "file_system_poll_wait_seconds": "poll_s",
    "model_config_file": "model_config_file",
    "tensorflow_intra_op_parallelism": "engine_threads",
}
"""Our settings by TensorFlow Serving's flags."""

NEEDLESS = {
    "allow_version_labels_for_unavailable_models": "labels are set as models load",
    "batching_parameters_file": "batches form without parameters; see --max-batch-images",
    "enable_batching": "requests are always batched",
    "enable_model_warmup": "every version is warmed up by its golden samples",
    "enable_per_model_batching_parameters": "batches form without parameters",
    "flush_filesystem_caches": "",
    "grpc_channel_arguments": "see --max-message-mb",
    "grpc_max_threads": "",
    "load_retry_interval_micros": "a version that failed is loaded again when it changes",
    "max_num_load_retries": "a version that failed is loaded again when it changes",
    "monitoring_config_file": "metrics are at /metrics of the HTTP port",
    "num_load_threads": "",
    "num_unload_threads": "",
    "per_process_gpu_memory_fraction": "",
    "prefer_tflite_model": "the quickest engine is taken",
    "remove_unused_fields_from_bundle_metagraph": "",
    "rest_api_num_threads": "",
    "rest_api_timeout_in_ms": "",
    "tensorflow_inter_op_parallelism": "",
    "tensorflow_session_parallelism": "see --engine-threads",
    "thread_pool_factory_config_file": "",
    "use_tflite_model": "the quickest engine is taken",
}
"""Flags that are passed over, and what to know of each."""

REFUSED = {
    "grpc_socket_path": "UNIX sockets are not offered",
    "mixed_precision": "a graph is run as it is",
    "platform_config_file": "only the platform 'tensorflow' is offered",
    "rest_api_enable_cors_support": "answers to other sites' pages are not offered",
    "saved_model_tags": "a graph is read by the tag 'serve'",
    "ssl_config_file": "TLS is not offered here: put a proxy or a mesh before the server",
    "tensorflow_serving_api_whitelist": "all APIs are offered",
}
"""Flags that are not offered, and why."""

HOST = "0.0.0.0"  # noqa: S104 - where TensorFlow Serving listens
"""Clients of a deployment come from elsewhere."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code: 0 after a drain, 2 for wrong settings."""
    given = vars(_parser().parse_args(arguments))
    try:
        config = make_config(given, os.environ)
        set_up_logs(config.log_level, config.log_format, native=True)
        for name in sorted(NEEDLESS.keys() & given.keys()):
            log.warning("--%s is passed over. %s", name, NEEDLESS[name])
        run_server(config, models=make_models(given, config.cache_dir.expanduser()))
    except (ConfigError, OSError) as error:
        complain(f"tensorflow_model_server: {error}")
        return 2
    return 0


def make_config(given: Mapping[str, str], environment: Mapping[str, str]) -> ServerConfig:
    """Our settings, from TensorFlow Serving's flags and our own variables.

    Args:
        given: Text by the flag's name.
        environment: Text by variable name; see `parse_config`.

    Raises:
        ConfigError: A flag is not offered, or its value is wrong.
    """
    for name in sorted(REFUSED.keys() & given.keys()):
        if given[name] not in ("", "false", "serve"):  # What we do, and the usual tag.
            raise ConfigError(f"--{name}: {REFUSED[name]}")
    if "model_config_file" not in given and not given.get("model_base_path"):
        raise ConfigError("set --model_base_path or --model_config_file")
    settings = {ours: given[theirs] for theirs, ours in SETTINGS.items() if theirs in given}
    # Below 0 it does not look at all, at 0 once.
    if settings.get("poll_s", "").startswith("-"):
        settings["poll_s"] = "0"
    # Who can reach TensorFlow Serving can ask it, and can reload its models.
    as_there = {"host": HOST, "insecure": "true", "model_control": "explicit"}
    return parse_config(as_there | settings, environment)


def make_models(given: Mapping[str, str], cache: Path) -> list[ModelConfig] | None:
    """The one model that the flags name, or None where a file names them.

    Args:
        given: Text by the flag's name.
        cache: Where mirrors of stores are.

    Raises:
        ConfigError: The name or the URL is impossible.
    """
    if "model_config_file" in given:
        return None
    base_path = local_folder(given["model_base_path"], cache)
    return [ModelConfig(name=given.get("model_name", "default"), base_path=base_path)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tensorflow_model_server", description=__doc__, allow_abbrev=False
    )
    known = {
        "port": "TCP port of the gRPC APIs (default 8500); 0 takes a free one",
        "rest_api_port": "TCP port of the HTTP APIs, metrics and probes (default 8501)",
        "model_name": "what clients ask for (default 'default')",
        "model_base_path": "folder of the model's versions, or its URL in a store",
        "model_config_file": "ModelServerConfig in protobuf's text form: several models",
        "file_system_poll_wait_seconds": "seconds between two looks for new versions; 0: none",
        "tensorflow_intra_op_parallelism": "threads of one engine call",
    }
    for name, text in known.items():
        parser.add_argument(f"--{name}", default=argparse.SUPPRESS, help=text)
    for names, text in ((NEEDLESS, "passed over. {}"), (REFUSED, "refused: {}")):
        for name, why in names.items():
            # Without a value: a truth value, as TensorFlow's flags have it.
            parser.add_argument(
                f"--{name}",
                nargs="?",
                const="true",
                default=argparse.SUPPRESS,
                help=text.format(why).strip(),
            )
    return parser


if __name__ == "__main__":
    sys.exit(main())
