"""Our declarations against those that the official client and TensorFlow ship."""

import base64
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2

from integration.tfserving_client.packages import run
from saccade_server.protocols import pool

pytestmark = pytest.mark.timeout(400)

Facts = dict[str, Any]

LEFT_OUT = {
    "tensorflow.TensorInfo/composite_tensor",
    "tensorflow.TensorInfo.CompositeTensor",
}
"""What no graph of images has; it would bring half of TensorFlow's messages with it."""

LEFT_OUT_OF_LOGS = re.compile(
    r"tensorflow\.serving\.("
    r"(LogMetadata|SessionRun\w+|SessionService|PredictStreamedLog)(/.*)?"
    r"|PredictionLog/(log_metadata|session_run_log|predict_streamed_log)"
    r")"
)
"""What a log of warm-up calls does without; a session's calls are no part of the API here."""


@pytest.fixture(scope="module")
def theirs(packages: Path) -> Facts:
    """What they declare."""
    text = run(packages, str(Path(__file__).with_name("descriptors.py")))
    return facts(descriptor_pb2.FileDescriptorSet.FromString(base64.b64decode(text)).file)


@pytest.fixture(scope="module")
def ours() -> Facts:
    """What the server declares."""
    data = Path(pool.__file__).with_name("tensorflow_serving.binpb").read_bytes()
    return facts(descriptor_pb2.FileDescriptorSet.FromString(data).file)


def facts(files: Iterable[Any]) -> Facts:
    """Everything of TensorFlow's packages that is seen on the wire or in JSON, by full name."""
    found: Facts = {}
    for file in files:
        if not file.package.startswith("tensorflow"):
            continue
        for service in file.service:
            for method in service.method:
                found[f"{file.package}.{service.name}/{method.name}"] = (
                    method.input_type, method.output_type,
                    method.client_streaming, method.server_streaming,
                )  # fmt: skip
        add_enums(found, file.package, file.enum_type)
        for message in file.message_type:
            add_message(found, file.package, message)
    return found


def add_message(found: Facts, scope: str, message: Any) -> None:
    """Adds a message, its fields and all inside it."""
    name = f"{scope}.{message.name}"
    found[name] = message.options.map_entry
    for field in message.field:
        oneof = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else ""
        found[f"{name}/{field.name}"] = (
            field.number, field.label, field.type, field.type_name, oneof, field.proto3_optional,
        )  # fmt: skip
    add_enums(found, name, message.enum_type)
    for nested in message.nested_type:
        add_message(found, name, nested)


def add_enums(found: Facts, scope: str, enums: Iterable[Any]) -> None:
    """Adds enums with their values."""
    for enum in enums:
        found[f"{scope}.{enum.name}"] = [(value.name, value.number) for value in enum.value]


def test_everything_of_the_api_is_declared(ours: Facts, theirs: Facts) -> None:
    """Every message, field, enum and method of the package tensorflow.serving, and no other."""
    package = "tensorflow.serving."
    expected = sorted(
        name for name in theirs if name.startswith(package) and not LEFT_OUT_OF_LOGS.fullmatch(name)
    )

    assert expected == sorted(name for name in ours if name.startswith(package))


def test_every_field_of_a_message_of_tensorflow_is_declared(ours: Facts, theirs: Facts) -> None:
    """A message that is declared at all is declared whole, but for what is said above."""
    own = {name for name in ours if not name.startswith("tensorflow.serving.")}
    expected = {name for name in theirs if name.partition("/")[0] in own}

    assert expected - LEFT_OUT == own


def test_everything_is_the_same_on_the_wire(ours: Facts, theirs: Facts) -> None:
    """Numbers, types, labels, choices, and what methods take and give."""
    assert {name: theirs.get(name) for name in ours} == ours
    assert len(ours) > 250
