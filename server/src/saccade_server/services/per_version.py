"""What a service keeps for each version that answers."""

from collections.abc import Callable
from typing import Generic, TypeVar

from saccade_server.registry import LoadedVersion

_Kept = TypeVar("_Kept")


class PerVersion(dict[LoadedVersion, _Kept], Generic[_Kept]):
    """Makes it when it is asked for first, and forgets that of versions that have gone.

    Args:
        make: Makes one.
    """

    def __init__(self, make: Callable[[LoadedVersion], _Kept]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, version: LoadedVersion) -> _Kept:
        for gone in [each for each in self if each.users.dismissed]:
            del self[gone]
        kept = self[version] = self._make(version)
        return kept
