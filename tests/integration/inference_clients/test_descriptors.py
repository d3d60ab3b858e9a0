"""Our declarations against those that tritonclient ships."""

import base64
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2

from integration.inference_clients.environments import Unavailable, environment, run
from saccade_server.protocols import pool

pytestmark = pytest.mark.timeout(700)

Facts = dict[str, Any]


@pytest.fixture(scope="module")
def theirs() -> Facts:
    """What tritonclient declares."""
    try:
        python = environment("triton")
    except Unavailable as reason:
        pytest.skip(str(reason))
    text = run(python, Path(__file__).with_name("triton_descriptors.py"))
    return facts(descriptor_pb2.FileDescriptorSet.FromString(base64.b64decode(text)).file)


@pytest.fixture(scope="module")
def ours() -> Facts:
    """What the server declares."""
    data = Path(pool.__file__).with_name("inference.binpb").read_bytes()
    return facts(descriptor_pb2.FileDescriptorSet.FromString(data).file)


def facts(files: Iterable[Any]) -> Facts:
    """Everything that is seen on the wire or in JSON, by its full name."""
    found: Facts = {}
    for file in files:
        for service in file.service:
            for method in service.method:
                found[f"{file.package}.{service.name}/{method.name}"] = (
                    method.input_type,
                    method.output_type,
                    method.client_streaming,
                    method.server_streaming,
                )
        _add_enums(found, file.package, file.enum_type)
        for message in file.message_type:
            _add_message(found, file.package, message)
    return found


def _add_message(found: Facts, scope: str, message: Any) -> None:
    name = f"{scope}.{message.name}"
    found[name] = message.options.map_entry
    for field in message.field:
        oneof = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else ""
        found[f"{name}.{field.name}"] = (
            field.number,
            field.label,
            field.type,
            field.type_name,
            oneof,
        )
    _add_enums(found, name, message.enum_type)
    for nested in message.nested_type:
        _add_message(found, name, nested)


def _add_enums(found: Facts, scope: str, enums: Iterable[Any]) -> None:
    for enum in enums:
        found[f"{scope}.{enum.name}"] = [(value.name, value.number) for value in enum.value]


def test_nothing_is_missing_or_made_up(ours: Facts, theirs: Facts) -> None:
    """Every message, field, enum and method."""
    assert sorted(theirs) == sorted(ours)


def test_everything_is_the_same_on_the_wire(ours: Facts, theirs: Facts) -> None:
    """Numbers, types, labels, choices, and what methods take, give and stream."""
    assert theirs == ours
    assert len(ours) > 500
