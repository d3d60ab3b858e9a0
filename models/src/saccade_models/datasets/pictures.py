"""Images that stay files until they are asked for."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from saccade_models.datasets.class_folders import read_image_file, shown
from saccade_models.datasets.form import PictureForm
from saccade_models.errors import ModelsError
from saccade_server.cpus import available_cpus
from saccade_server.errors import InvalidArgument
from saccade_server.imaging import decode_image


class DecodedCache:
    """Keeps decoded pictures up to a bound; later ones are decoded each time.

    Nothing is thrown out for something newer: where every epoch asks for each picture once, that
    would only change which ones are missing. Safe to use from several threads.
    """

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes
        self._pixels: dict[str, NDArray[np.uint8]] = {}
        self._lock = Lock()

    def find(self, name: str) -> NDArray[np.uint8] | None:
        """The pixels of a picture, if they were kept."""
        return self._pixels.get(name)

    def keep(self, name: str, pixels: NDArray[np.uint8]) -> None:
        """Keeps them if there is room."""
        with self._lock:
            if name not in self._pixels and pixels.nbytes <= self._left:
                self._left -= pixels.nbytes
                self._pixels[name] = pixels


class Pictures:
    """Image files of one form, in an order, decoded when they are asked for as a server does it.

    Of the pixels of N files no more is in memory than what is asked for and what `cache` keeps.
    Which of them were asked for before makes no difference to what comes. Indexed like an array.

    Args:
        root: The data set's folder.
        files: N, relative to it.
        digests: Shape (N,), SHA-256 of each: the content that was found when they were listed.
        form: What they become.
        cache: May be shared with other splits of the same form.
    """

    def __init__(
        self,
        root: Path,
        files: Sequence[str],
        digests: NDArray[np.bytes_],
        form: PictureForm,
        cache: DecodedCache,
    ) -> None:
        self._root = root
        self._files = files
        self._digests = digests
        self._spec = form.spec
        self._cache = cache
        self.shape = (len(files), *form.shape)

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, positions: slice | NDArray[np.int64]) -> NDArray[np.uint8]:
        """Those at the positions: shape (n, H, W, C), values 0 to 255.

        Raises:
            ModelsError: A file has gone or is another one than when the folder was listed.
        """
        chosen = np.arange(len(self))[positions]
        images = np.empty((len(chosen), *self.shape[1:]), np.uint8)
        missing = []
        for place, position in enumerate(chosen):
            pixels = self._cache.find(self._files[position])
            if pixels is None:
                missing.append(place)
            else:
                images[place] = pixels

        def fill(place: int) -> None:
            images[place] = self._decode(int(chosen[place]))

        if missing:
            with ThreadPoolExecutor(available_cpus(), thread_name_prefix="decode") as pool:
                for _ in pool.map(fill, missing):
                    pass
        return images

    def digest(self) -> bytes:
        """Stands for the files' contents, their order and their form."""
        digest = hashlib.sha256(repr((self.shape, self._spec.resize)).encode())
        digest.update(self._digests.tobytes())
        return digest.digest()

    def _decode(self, position: int) -> NDArray[np.uint8]:
        name, digest = self._files[position], bytes(self._digests[position])
        path = self._root / name
        try:
            data = read_image_file(path)
            if hashlib.sha256(data).hexdigest().encode() != digest:
                raise ModelsError(f"{shown(str(path))} changed meanwhile: start again")
            pixels = decode_image(data, self._spec)
        except (OSError, InvalidArgument) as error:
            raise ModelsError(f"cannot read {shown(str(path))}: {error}") from error
        self._cache.keep(name, pixels)
        return pixels
