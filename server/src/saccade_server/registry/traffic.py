"""How a model's requests are shared between its versions: movable labels, shares, copies.

The file is TOML, a table for each model:

    [digits]
    labels = { stable = 3, canary = 4, next = 5 }
    split = { stable = 95, canary = 5 }
    shadow = { next = 10 }
    rollback = true
"""

import math
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from saccade_server.errors import ConfigError
from saccade_server.registry.model_config import MAX_LABEL_CHARACTERS
from saccade_server.registry.repository import MODEL_NAME

_KEYS = ("labels", "split", "shadow", "rollback")
_BITS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What is said of one model's traffic.

    Attributes:
        labels: Version by its movable name; such a version is served whatever the policy says.
        split: Percent of the requests that name neither version nor label, by label; together 100.
        shadow: Percent of the requests that are also run on a label's version, by label.
        rollback: Whether a new version that turns out to be worse is taken away.

    Raises:
        ConfigError: A label, a version or a share is impossible.
    """

    labels: Mapping[str, int] = field(default_factory=dict)
    split: Mapping[str, float] = field(default_factory=dict)
    shadow: Mapping[str, float] = field(default_factory=dict)
    rollback: bool = True

    def __post_init__(self) -> None:
        """Checks names and ranges."""
        for label in {*self.labels, *self.split, *self.shadow}:
            if not 1 <= len(label) <= MAX_LABEL_CHARACTERS:
                raise ConfigError(f"a label has 1 to {MAX_LABEL_CHARACTERS} characters")
        for label, version in self.labels.items():
            if version < 1:
                raise ConfigError(f"the label {label!r} cannot be {version}")
        for label, percent in (*self.split.items(), *self.shadow.items()):
            if not 0 <= percent <= 100:
                raise ConfigError(f"the share of {label!r} must be 0 to 100, got {percent:g}")
        total = sum(self.split.values())
        if self.split and not math.isclose(total, 100):
            raise ConfigError(f"the shares of the split must be 100 together, got {total:g}")

    @property
    def main_label(self) -> str:
        """That with the largest share of the split; empty without a split."""
        return max(self.split, key=self.split.__getitem__, default="")

    def choose(self, model: str, key: str, labels: Collection[str]) -> str:
        """The label that a key falls to, the same in every process; empty if there is none.

        Each label draws a time from a hash of the key, the shorter the larger its share, and the
        shortest wins. So a label whose share grows only takes keys and gives none away, and when
        one is missing only its own keys move.

        Args:
            model: So that the keys of one model's canary are not those of another's.
            key: Such as a user's name.
            labels: Those whose version is ready.
        """
        shares = {each: of for each, of in self.split.items() if of > 0 and each in labels}
        return min(shares, key=lambda label: _draw(model, label, key) / shares[label], default="")


def parse_traffic(text: str) -> dict[str, Traffic]:
    """Reads a traffic file; gives what it says by model.

    Raises:
        ConfigError: It is not of the form above, or says what cannot be done.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"no TOML: {error}") from None
    traffic = {}
    for model, table in tables.items():
        if not MODEL_NAME.fullmatch(model) or not isinstance(table, dict):
            raise ConfigError(f"{model!r} is no table with the name of a model")
        try:
            traffic[model] = _traffic(table)
        except ConfigError as error:
            raise ConfigError(f"model {model!r}: {error}") from None
    return traffic


def _traffic(table: dict[str, Any]) -> Traffic:
    for key in table:
        if key not in _KEYS:
            raise ConfigError(f"unknown key {key!r}, there are: {', '.join(_KEYS)}")
    rollback = table.get("rollback", True)
    if not isinstance(rollback, bool):
        raise ConfigError("'rollback' must be true or false")
    return Traffic(
        labels=_numbers(table, "labels", int),
        split=_numbers(table, "split", float),
        shadow=_numbers(table, "shadow", float),
        rollback=rollback,
    )


def _numbers(table: dict[str, Any], key: str, kind: type) -> dict[str, Any]:
    """A table of numbers by label."""
    numbers = table.get(key, {})
    kinds = (int,) if kind is int else (int, float)
    if not isinstance(numbers, dict):
        raise ConfigError(f"{key!r} must be a table, such as {{ stable = 1 }}")
    for label, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, kinds):
            what = "a whole number" if kind is int else "a number"
            raise ConfigError(f"{label!r} in {key!r} must be {what}")
    return {label: kind(number) for label, number in numbers.items()}


def _draw(model: str, label: str, key: str) -> float:
    """A time from the exponential distribution, drawn by a hash."""
    text = "\0".join((model, label, key)).encode(errors="replace")
    digest = blake2b(text, digest_size=_BITS // 8).digest()
    return -math.log((int.from_bytes(digest) + 0.5) / 2**_BITS)
