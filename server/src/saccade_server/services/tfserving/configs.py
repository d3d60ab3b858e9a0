"""TensorFlow Serving's configuration of models, as ours."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from google.protobuf import text_format

from saccade_server.errors import ConfigError
from saccade_server.places import is_url, local_folder
from saccade_server.protocols import tensorflow_serving_pb as pb
from saccade_server.registry import All, Latest, ModelConfig, Specific, VersionPolicy

PLATFORM = "tensorflow"


def read_config_file(path: Path, cache: Path) -> list[ModelConfig]:
    """Reads a file of the form of `--model_config_file`: a ModelServerConfig in protobuf's text.

    Args:
        path: The file.
        cache: Where mirrors are of the stores that it names by URLs.

    Raises:
        ConfigError: It cannot be read, is not of that form, or says what cannot be done.
    """
    message = pb.ModelServerConfig()
    try:
        text_format.Parse(path.read_text("utf-8"), message)
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise ConfigError(f"the model config file {path}: {error}") from error
    return read_model_configs(message, cache)


def read_model_configs(message: Any, cache: Path | None = None) -> list[ModelConfig]:
    """The models of a ModelServerConfig.

    Args:
        message: It.
        cache: Where mirrors of stores are; None: it must not name any, as where callers say what
            is loaded, who have no say in whom the server asks in its own name.

    Raises:
        ConfigError: It is no list of models, or says what cannot be done.
    """
    kind = message.WhichOneof("config")
    if kind == "custom_model_config":
        raise ConfigError("custom_model_config is not offered: use model_config_list")
    return [_model(each, cache) for each in message.model_config_list.config]


def _model(message: Any, cache: Path | None) -> ModelConfig:
    if message.model_platform not in ("", PLATFORM) or message.model_type == pb.OTHER:
        raise ConfigError(
            f"model {message.name!r} is of the platform {message.model_platform!r}: "
            f"only {PLATFORM!r} is offered"
        )
    if cache is None and is_url(message.base_path):
        raise ConfigError(
            f"model {message.name}: base_path {message.base_path} is in a store, which only the "
            "command line and --model-config-file may name"
        )
    path = local_folder(message.base_path, cache or Path())
    if not path.is_absolute():
        raise ConfigError(
            f"Expected model {message.name} to have an absolute path or URI; "
            f"got base_path()={message.base_path}"
        )
    return ModelConfig(
        name=message.name,
        base_path=path,
        policy=_policy(message.model_version_policy),
        labels=dict(message.version_labels),
    )


def _policy(message: Any) -> VersionPolicy:
    choice = message.WhichOneof("policy_choice")
    if choice == "all":
        return All()
    if choice == "specific":
        versions: Sequence[int] = message.specific.versions
        return Specific(versions=tuple(versions))
    return Latest(count=message.latest.num_versions or 1)
