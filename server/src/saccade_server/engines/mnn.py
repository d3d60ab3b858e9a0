"""The quickest engine for 3 x 3 convolutions: MNN multiplies less for them (Winograd's algorithm).

An extra; without it a server runs the form for LiteRT. Only the package's compiled modules are
used: the scripts around its converter install packages and report how they are used.
"""

import ctypes
import importlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saccade_server.artifact import Artifact
from saccade_server.engines.base import check_shape, softmax
from saccade_server.errors import EngineError

CONVERT_S = 600.0
"""Longer than any graph takes to convert, in seconds."""

_ONE_THREAD = {"backend": "CPU", "numThread": 1}
_CONVERT = "import sys, _tools; _tools.mnnconvert(sys.argv)"
_CHATTER = "Start to ", "inputTensors", "outputTensors", "Converted ", "The device "


class MNNEngine:
    """Runs the form of an artifact that was made for MNN, see `convert_to_mnn`.

    A call is run on one thread: those of OpenMP wait for the next call on the processors that the
    event loop and other engines need, which costs more than they save.

    Args:
        artifact: What was compiled.
        form: The compiled file.

    Raises:
        EngineError: MNN is not installed, or the file is damaged or no classifier's.
    """

    name = "mnn"
    bounded = True  # Forms are only made of graphs without loops.

    def __init__(self, artifact: Artifact, form: Path) -> None:
        self._mnn = import_mnn()
        self._output = artifact.output
        self._image = artifact.input.shape
        self._classes = len(artifact.class_labels)
        try:
            self._interpreter: Any = self._mnn.Interpreter(str(form))
            self._session: Any = self._interpreter.createSession(_ONE_THREAD)
            self._input: Any = self._interpreter.getSessionInput(self._session)
            outputs = self._interpreter.getSessionOutputAll(self._session)
        except Exception as error:  # Nothing more specific is raised.
            raise EngineError(f"MNN cannot load {form}: {error}") from error
        if len(outputs) != 1:
            raise EngineError(f"MNN cannot load {form}: it has {len(outputs)} outputs")
        self._scores: Any = None
        self._images = 0

    def predict(self, images: NDArray[np.uint8 | np.float32]) -> NDArray[np.float32]:
        """See `Engine.predict`."""
        # It fills up what is missing with whatever there is.
        if images.shape[1:] != self._image:
            raise EngineError(f"MNN failed: {images.shape[1:]} is no image of {self._image}")
        try:
            if len(images) != self._images:
                self._images = 0
                self._interpreter.resizeTensor(self._input, images.shape)
                self._interpreter.resizeSession(self._session)
                self._scores = self._interpreter.getSessionOutput(self._session)
                self._images = len(images)
            # Into the session's memory each time: a call uses that for its intermediate results.
            self._input.copyFrom(self._tensor(images.astype(np.float32, "C", copy=False)))
            code = self._interpreter.runSession(self._session)
            held = self._tensor(np.empty(self._scores.getShape(), np.float32))
            self._scores.copyToHostTensor(held)
            scores: NDArray[np.float32] = np.array(held.getNumpyData(), np.float32)
        except Exception as error:
            raise EngineError(f"MNN failed: {error}") from error
        if code != 0:
            raise EngineError(f"MNN failed with the code {code}")
        check_shape(scores, len(images), self._classes)
        return softmax(scores) if self._output.logits else scores

    def close(self) -> None:
        """See `Engine.close`."""
        # In this order: they point into each other's memory.
        self._scores = self._input = None
        self._session = None
        self._interpreter = None

    def _tensor(self, values: NDArray[np.float32]) -> Any:
        """A tensor of MNN with a copy of the values."""
        mnn = self._mnn
        return mnn.Tensor(
            values.shape, mnn.Halide_Type_Float, values, mnn.Tensor_DimensionType_Tensorflow
        )


def convert_to_mnn(form: Path, target: Path) -> None:
    """Makes a form for MNN of one for LiteRT, in a process of its own.

    Args:
        form: Compiled for LiteRT, from a graph without loops and with one output.
        target: The file to write.

    Raises:
        EngineError: MNN is not installed, or lacks an operation of the graph.
    """
    import_mnn()
    command = [
        *(sys.executable, "-c", _CONVERT, "-f", "TFLITE", "--modelFile", str(form)),
        *("--MNNModel", str(target), "--bizCode", "saccade"),
    ]
    try:
        done = subprocess.run(  # noqa: S603 - Our own program.
            command, capture_output=True, timeout=CONVERT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise EngineError(f"MNN converts for longer than {CONVERT_S:g} s") from None
    if done.returncode != 0 or not target.is_file():
        said = (done.stdout + done.stderr).decode(errors="replace").splitlines()
        telling = [line for line in said if line and not line.startswith(_CHATTER)]
        raise EngineError(f"MNN cannot take this graph: {'; '.join(telling[:3])}")


def has_mnn() -> bool:
    """Whether MNN is installed."""
    return importlib.util.find_spec("MNN") is not None


def import_mnn() -> Any:
    """The module `MNN`, without what it says of the processor.

    Raises:
        EngineError: It is not installed.
    """
    if loaded := sys.modules.get("MNN"):
        return loaded
    try:
        with _native_output_dropped():
            return importlib.import_module("MNN")
    except ImportError as error:
        raise EngineError("MNN is not installed: pip install 'saccade-server[mnn]'") from error


@contextmanager
def _native_output_dropped() -> Iterator[None]:
    """Drops what native code writes to standard output meanwhile, in all threads."""
    try:
        original = os.dup(1)
    except OSError:  # It is closed: nothing can be written there.
        yield
        return
    flush = ctypes.CDLL(None).fflush
    flush(None)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        flush(None)
        os.dup2(original, 1)
        os.close(original)
