"""Bounds of a batcher's queue, and how it is emptied."""

from dataclasses import dataclass

from saccade_server.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchingConfig:
    """Bounds of the queue, and how it is emptied.

    Attributes:
        max_batch_images: In one engine call.
        enough_images: In one engine call, where requests have no more on average. 0: as many as may
            be.
        max_queue_images: That wait.
        fair: Whether clients get equal shares.
        gather: Whether small requests of a swift graph are gathered and run in the event loop's
            thread. Where a call takes all processors, which are few, the loop would only take turns
            with it on them.
        few: Whether processors are few, so that calm crowds (`WaitingLine.calm`) are run one batch
            after the other, too, and great ones by a pair of workers (`Crew.pair`).
    """

    max_batch_images: int = 32
    enough_images: int = 0
    max_queue_images: int = 1024
    fair: bool = False
    gather: bool = False
    few: bool = False

    def __post_init__(self) -> None:
        """Checks the ranges."""
        if self.max_batch_images < 1:
            raise ConfigError(f"max_batch_images must be at least 1, got {self.max_batch_images}")
        if not 0 <= self.enough_images <= self.max_batch_images:
            raise ConfigError(
                f"enough_images must be 0 to max_batch_images, got {self.enough_images}"
            )
        if self.max_queue_images < 1:
            raise ConfigError(f"max_queue_images must be at least 1, got {self.max_queue_images}")
