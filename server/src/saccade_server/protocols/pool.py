"""Message classes from a set of descriptors, in a pool of their own."""

from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message import Message


class Protocol:
    """The messages that `make proto` has written to `<name>.binpb` beside this module.

    Args:
        name: Of the file.

    Attributes:
        pool: Holds all descriptors, those of imported files too; for reflection.
    """

    def __init__(self, name: str) -> None:
        data = Path(__file__).with_name(f"{name}.binpb").read_bytes()
        self.pool = DescriptorPool()
        self._names: dict[str, Any] = {}
        # protobuf makes a class when it is first needed and holds it no longer than its messages
        # do. In a collection of garbage that lets other threads run, it has handed out a class that
        # was just being taken apart, and the process crashed: so none of them ever is garbage.
        self._classes: list[type[Message]] = []
        # Imported files come first: that is the order in which protoc writes them.
        for file in descriptor_pb2.FileDescriptorSet.FromString(data).file:
            self.pool.Add(file)
            self._list(file.name, file.package)

    def find(self, package: str, name: str) -> Any:
        """What generated code would offer under that name.

        The types are known at run time only, hence Any: a wrong name is an AttributeError, and the
        tests see every name in use.

        Args:
            package: Such as "inference".
            name: Of a message, an enum or a value of an enum at the package's top level.

        Raises:
            AttributeError: There is none.
        """
        found = self._names.get(f"{package}.{name}")
        if found is None:
            raise AttributeError(f"the package {package!r} has no {name!r}")
        return message_factory.GetMessageClass(found) if isinstance(found, Descriptor) else found

    def _keep(self, message: Descriptor) -> None:
        """Makes a message's class, and those within, for good."""
        self._classes.append(message_factory.GetMessageClass(message))
        for nested in message.nested_types:
            self._keep(nested)

    def _list(self, file: str, package: str) -> None:
        descriptor = self.pool.FindFileByName(file)
        for message in descriptor.message_types_by_name.values():
            self._keep(message)
        self._names.update(
            (f"{package}.{name}", message)
            for name, message in descriptor.message_types_by_name.items()
        )
        for name, enum in descriptor.enum_types_by_name.items():
            self._names[f"{package}.{name}"] = EnumTypeWrapper(enum)
            self._names.update((f"{package}.{value.name}", value.number) for value in enum.values)
