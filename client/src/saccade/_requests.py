"""From images and choices to requests of bounded size."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from saccade._errors import InputError
from saccade._images import PreparedImage, prepare_images
from saccade._options import ClientOptions
from saccade.v1 import classifier_pb2 as pb

if TYPE_CHECKING:
    from saccade._images import ImageInput

MAX_REQUEST_ID_BYTES = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRequest:
    """One request before its images are read.

    Attributes:
        first: The position of its first image in the caller's list.
    """

    head: pb.ClassifyRequest
    images: tuple[PreparedImage, ...]
    first: int = 0

    @property
    def request_id(self) -> str:
        """Never empty."""
        return self.head.request_id

    @property
    def on_disk(self) -> bool:
        """Whether `build` waits for a disk."""
        return any(image.on_disk for image in self.images)

    def build(self) -> pb.ClassifyRequest:
        """Reads the images.

        Raises:
            InputError: A file has gone since it was checked.
        """
        request = pb.ClassifyRequest()
        request.CopyFrom(self.head)
        for image in self.images:
            image.fill(request.images.add())
        return request


def plan_requests(
    images: "ImageInput | Iterable[ImageInput]",
    model: pb.ModelSpec,
    top_k: int | None,
    request_id: str | None,
    options: ClientOptions,
) -> list[PlannedRequest]:
    """Splits `images` into requests within the bounds of `options`.

    Several requests get the request id with "-0", "-1", ... at the end.

    Raises:
        InputError: An image, `top_k` or the request id is wrong.
    """
    parts = list(_split(prepare_images(images), options))
    whole_id = new_request_id() if request_id is None else request_id
    planned: list[PlannedRequest] = []
    first = 0
    for number, part in enumerate(parts):
        part_id = whole_id if len(parts) == 1 else f"{whole_id}-{number}"
        head = request_head(model, top_k, part_id)
        planned.append(PlannedRequest(head=head, images=tuple(part), first=first))
        first += len(part)
    return planned


def request_head(model: pb.ModelSpec, top_k: int | None, request_id: str) -> pb.ClassifyRequest:
    """A request without its images.

    Raises:
        InputError: `top_k` is no 32-bit integer, or the request id is empty or too long.
    """
    # Characters that UTF-8 lacks are for the message to refuse.
    if not 0 < len(request_id.encode(errors="replace")) <= MAX_REQUEST_ID_BYTES:
        raise InputError(f"request_id must have 1 to {MAX_REQUEST_ID_BYTES} bytes")
    try:
        return pb.ClassifyRequest(model=model, top_k=top_k, request_id=request_id)
    except (TypeError, ValueError) as error:
        raise InputError(f"top_k or request_id: {error}") from error


def model_spec(model: str | None, version: int | None, label: str | None) -> pb.ModelSpec:
    """The model that a caller wants.

    Raises:
        InputError: Both a version and a label are given, or a value is of the wrong type or range.
    """
    if version is not None and label is not None:
        raise InputError("give a version or a label, not both")
    if version is not None and version < 1:
        raise InputError(f"a version is at least 1, got {version}")
    try:
        return pb.ModelSpec(name=model, version=version, label=label)
    except (TypeError, ValueError) as error:
        raise InputError(f"model, version or label: {error}") from error


def new_request_id() -> str:
    """A new id that no other request has."""
    return uuid.uuid4().hex


def _split(images: list[PreparedImage], options: ClientOptions) -> Iterator[list[PreparedImage]]:
    part: list[PreparedImage] = []
    size_bytes = 0
    for image in images:
        full = len(part) == options.max_request_images
        if part and (full or size_bytes + image.size_bytes > options.max_request_bytes):
            yield part
            part, size_bytes = [], 0
        part.append(image)
        size_bytes += image.size_bytes
    yield part
