"""The folder of models: `<root>/<model>/<version>/`."""

import re
from pathlib import Path

from saccade_server.errors import ConfigError

MODEL_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
VERSION = re.compile(r"[1-9][0-9]{0,17}")


def scan_repository(root: Path) -> dict[str, list[int]]:
    """The versions of each model, newest first.

    Folders whose name is no model name (letters, digits, `_`, `-`, `.`, not beginning with a dot)
    or no positive integer are passed over, so that work in progress can live beside them.

    Raises:
        ConfigError: `root` is no folder.
    """
    if not root.is_dir():
        raise ConfigError(f"the model repository {root} is no folder: set --model-repository")
    models = {}
    for folder in sorted(root.iterdir()):
        if MODEL_NAME.fullmatch(folder.name) and (versions := scan_model(folder)):
            models[folder.name] = versions
    return models


def scan_model(folder: Path) -> list[int]:
    """The versions in a model's folder, newest first; none if it is no folder."""
    if not folder.is_dir():
        return []
    names = [item.name for item in folder.iterdir() if item.is_dir()]
    return sorted((int(name) for name in names if VERSION.fullmatch(name)), reverse=True)
