"""What a SavedModel says about itself, read from its file; nothing of it is run here."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saccade_models.errors import ConfigError, ModelsError
from saccade_server.artifact import GRAPH

MAX_GRAPH_BYTES = (2 << 30) - 1
"""What protobuf can read."""

UNSAFE_OPERATIONS = frozenset(
    {"EagerPyFunc", "MatchingFiles", "PyFunc", "PyFuncStateless", "ReadFile", "WriteFile"}
)
"""They run code of the Python process, or reach for its files, with each image."""

CHANNELS = (1, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A signature that may be an image classifier's. 0: the graph leaves it open.

    Attributes:
        dtype: "float32" or "uint8".
        channels: 1, 3 or 0.
        classes: As the graph says, not yet as it does.
    """

    name: str
    input: str
    dtype: str
    height: int
    width: int
    channels: int
    output: str
    classes: int


def read_signature(folder: Path, wanted: str = "", output_name: str = "") -> Signature:
    """Finds the signature, its input and its output.

    Args:
        folder: Of a SavedModel.
        wanted: The signature's name; empty: `serving_default`, or the only one.
        output_name: Empty: the only one that may hold a row of scores for each image.

    Raises:
        ModelsError: It is no SavedModel, or no image classifier; the text says why.
        ConfigError: There is no such signature or output, or there are several.
    """
    graph = _serving_graph(folder)
    _refuse_unsafe(graph)
    known = {name: one for name, one in graph.signature_def.items() if not name.startswith("__")}
    name = _choose_signature(known, wanted)
    input_name, given = _only_input(known[name].inputs)
    dtype = _dtype(input_name, given.dtype)
    height, width, channels = _image_shape(input_name, _shape(given))
    output, classes = _choose_output(known[name].outputs, output_name)
    return Signature(
        name=name,
        input=input_name,
        dtype=dtype,
        height=height,
        width=width,
        channels=channels,
        output=output,
        classes=classes,
    )


def _serving_graph(folder: Path) -> Any:
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    file = folder / GRAPH
    if file.stat().st_size > MAX_GRAPH_BYTES:
        raise ModelsError(f"{file} is larger than 2 GiB: no reader of TensorFlow opens it")
    try:
        model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    except DecodeError as error:
        raise ModelsError(f"{file} is damaged, or no SavedModel's graph") from error
    for graph in model.meta_graphs:
        if set(graph.meta_info_def.tags) == {"serve"}:
            return graph
    tags = [f"({', '.join(graph.meta_info_def.tags)})" for graph in model.meta_graphs]
    raise ModelsError(
        f"{file} has no graph with the tag 'serve', but {', '.join(tags) or 'none at all'}: "
        "it was not exported for serving"
    )


def _refuse_unsafe(graph: Any) -> None:
    functions = graph.graph_def.library.function
    used = {node.op for node in graph.graph_def.node}
    used |= {node.op for function in functions for node in function.node_def}
    if unsafe := sorted(used & UNSAFE_OPERATIONS):
        raise ModelsError(
            f"the graph runs {', '.join(unsafe)}: a server must not run Python or reach for files "
            "on a model's behalf"
        )


def _choose_signature(known: Mapping[str, Any], wanted: str) -> str:
    names = ", ".join(sorted(known)) or "none"
    if wanted:
        if wanted not in known:
            raise ConfigError(f"signature must be one of those there ({names}), got {wanted!r}")
        return wanted
    if "serving_default" in known:
        return "serving_default"
    if not known:
        raise ModelsError(
            "the SavedModel has no signature, so nothing can be asked of it: save it with "
            "tf.saved_model.save(..., signatures=...) or model.export(...)"
        )
    if len(known) > 1:
        raise ConfigError(f"signature must be given, there are several: {names}")
    return next(iter(known))


def _only_input(inputs: Mapping[str, Any]) -> tuple[str, Any]:
    if len(inputs) != 1:
        raise ModelsError(
            f"the signature takes {len(inputs)} inputs ({', '.join(sorted(inputs)) or 'none'}): "
            "an image classifier takes one, the pictures"
        )
    ((name, given),) = inputs.items()
    if given.WhichOneof("encoding") != "name":
        raise ModelsError(f"the input {name!r} is no dense tensor")
    return name, given


def _dtype(name: str, number: int) -> str:
    from tensorflow.core.framework import types_pb2

    kind = types_pb2.DataType.Name(number)
    if kind == "DT_STRING":
        raise ModelsError(
            f"the input {name!r} takes strings (image files, or Examples): export a signature that "
            "takes pixels; the server decodes the files itself"
        )
    dtypes = {"DT_FLOAT": "float32", "DT_UINT8": "uint8"}
    if kind not in dtypes:
        raise ModelsError(f"the input {name!r} is {kind}: pixels come as float32 or uint8")
    return dtypes[kind]


def _shape(given: Any) -> list[int] | None:
    """The sides, 0 where they are open; None where not even their number is known."""
    if given.tensor_shape.unknown_rank:
        return None
    return [max(dim.size, 0) for dim in given.tensor_shape.dim]


def _image_shape(name: str, shape: list[int] | None) -> tuple[int, int, int]:
    if shape is None:
        return 0, 0, 0
    shown = _shown(shape)
    if len(shape) != 4:
        raise ModelsError(f"the input {name!r} has the shape {shown}: images are (N, H, W, C)")
    if shape[0]:
        raise ModelsError(
            f"the input {name!r} has the shape {shown}: the number of images is fixed, but a "
            "server batches; export the graph with an open first dimension"
        )
    if shape[3] not in (0, *CHANNELS):
        if shape[1] in CHANNELS:
            raise ModelsError(
                f"the input {name!r} has the shape {shown}: channels come first, here they must "
                "come last; put a transpose before the graph and export it again"
            )
        raise ModelsError(f"the input {name!r} has {shape[3]} channels: images have 1 or 3")
    return shape[1], shape[2], shape[3]


def _choose_output(outputs: Mapping[str, Any], wanted: str) -> tuple[str, int]:
    from tensorflow.core.framework import types_pb2

    if wanted and wanted not in outputs:
        names = ", ".join(sorted(outputs))
        raise ConfigError(f"output-name must be one of those there ({names}), got {wanted!r}")
    good, refused = {}, []
    for name, given in outputs.items() if not wanted else [(wanted, outputs[wanted])]:
        shape = _shape(given)
        if given.dtype != types_pb2.DT_FLOAT:
            refused.append(f"{name!r} is {types_pb2.DataType.Name(given.dtype)}")
        elif shape is not None and len(shape) != 2:
            refused.append(f"{name!r} has the shape {_shown(shape)}")
        elif shape is not None and shape[1] == 1:
            refused.append(f"{name!r} is a single number an image, as of two classes in one")
        else:
            good[name] = shape[1] if shape is not None else 0
    if not good:
        raise ModelsError(
            "no output holds a row of float32 scores for each image, shape (N, K) with K at least "
            f"2: {'; '.join(sorted(refused)) or 'there is none'}"
        )
    if len(good) > 1:
        raise ConfigError(
            f"output-name must be given, there are several: {', '.join(sorted(good))}"
        )
    return next(iter(good.items()))


def _shown(shape: list[int]) -> str:
    return f"({', '.join(str(side) if side else '?' for side in shape)})"
