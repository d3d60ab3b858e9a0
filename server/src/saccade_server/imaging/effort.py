"""What a file may cost beside its pixels: some small ones would take a processor for minutes."""

import io
import re

from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.JpegImagePlugin import JpegImageFile

from saccade_server.errors import InvalidArgument

MAX_READS = 250_000
"""Pillow reads the parts of a file around its pixels piece by piece in Python. A photograph takes
some hundred reads; a file that consists of nothing but headers would keep a processor for long. As
many parts are looked at here."""

_TOO_MANY_PARTS = "the image has too many parts: save it without its metadata"

MAX_SCANS = 100
"""Of a JPEG. Each scan is one more pass over all pixels; progressive files have about ten."""

MAX_RUN_LENGTH_PIXELS = 4_000_000
"""Of a run-length encoded BMP, which Pillow decodes in Python, however few bytes it has."""

_SCAN = b"\xff\xda"
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
"""Of a JPEG: what begins a segment, or ends the file (0xd9)."""


class Metered(io.BytesIO):
    """A file that may be read a bounded number of times.

    Its reads raise InvalidArgument beyond it.
    """

    _left = MAX_READS

    def read(self, size: int | None = -1, /) -> bytes:
        """See `io.BytesIO.read`."""
        self._left -= 1
        if self._left < 0:
            raise InvalidArgument(_TOO_MANY_PARTS)
        return super().read(size)


def check_effort(image: Image.Image, data: bytes) -> None:
    """Refuses files that would take much longer to decode than others of their size.

    Args:
        image: Opened, not decoded.
        data: The whole file.

    Raises:
        InvalidArgument: It is such a file.
    """
    if isinstance(image, JpegImageFile) and _has_many_scans(data):
        raise InvalidArgument(f"the JPEG has more than {MAX_SCANS} scans: save it anew")
    if (
        isinstance(image, BmpImageFile)
        and image.tile[0].codec_name == "bmp_rle"
        and image.width * image.height > MAX_RUN_LENGTH_PIXELS
    ):
        raise InvalidArgument(
            f"the image is {image.width} x {image.height}, at most {MAX_RUN_LENGTH_PIXELS} pixels "
            "are allowed in a run-length encoded BMP"
        )


def _has_many_scans(data: bytes) -> bool:
    """Whether a JPEG has more scans than any encoder makes; raises as `check_effort` does."""
    if data.count(_SCAN) <= MAX_SCANS:  # The usual case, told quickly.
        return False
    # Those bytes may also stand in metadata, and behind the picture: telephones put films there.
    scans, parts, position = 0, 0, 2
    while (found := _MARKER.search(data, position)) and found[0] != b"\xff\xd9":
        scans += found[0] == _SCAN
        if scans > MAX_SCANS:
            return True
        parts += 1
        if parts > MAX_READS:
            raise InvalidArgument(_TOO_MANY_PARTS)
        position = found.end() + int.from_bytes(data[found.end() : found.end() + 2], "big")
    return False
