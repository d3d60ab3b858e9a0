"""What brings versions from elsewhere into the folders that the registry looks at."""

from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from saccade_server.artifact import Snapshot
from saccade_server.registry.version import Version


class Source(Protocol):
    """See `stores.mirror.Mirror`."""

    async def look(
        self, root: Path | None, models: Collection[Path], in_use: Collection[Path]
    ) -> None:
        """Makes folders appear, empty, for what is new elsewhere; what has gone there goes here.

        Folders that are no mirror's are left alone.

        Args:
            root: A repository, or None.
            models: Folders of models.
            in_use: Folders of versions that are loaded or being loaded.

        Raises:
            OSError: Something cannot be reached; its folders stay as they are.
            ConfigError: So it is, and there never was anything to go on with.
        """

    def owns(self, path: Path) -> bool:
        """Whether a folder is a mirror's; if not, what follows is not for it."""

    async def fetch(self, version: Version) -> None:
        """Brings a version's files, whole, if they are not there; notes what it looked like.

        Raises:
            IncompleteArtifact: It is not whole there yet, or cannot be brought now.
            ArtifactError: It is wrong.
        """

    async def snapshot(self, path: Path) -> Snapshot | None:
        """What a version looks like there now; None: that cannot be told now."""
