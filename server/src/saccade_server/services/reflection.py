"""The standard reflection service: lets grpcurl and its like call us without our proto files.

The messages are those of grpc.reflection.v1alpha; version v1 is the same on the wire, so both
names are answered.
"""

from collections.abc import AsyncIterator, Callable

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha import reflection_pb2 as pb

from saccade_server.errors import Code
from saccade_server.services.call import Call, Method

NAMES = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")

_Find = Callable[[DescriptorPool, str], FileDescriptor]


class ReflectionService:
    """Describes services and messages.

    Args:
        services: Full names to list.
        pools: Where their descriptors are, in this order.
    """

    def __init__(self, services: list[str], pools: list[DescriptorPool]) -> None:
        self._services = sorted(services)
        self._pools = pools

    def methods(self) -> list[Method]:
        """The methods, for a transport."""
        return [
            Method(
                api="reflection",
                path=f"/{name}/ServerReflectionInfo",
                request=pb.ServerReflectionRequest,
                stream=self.reflect,
                streams_requests=True,
            )
            for name in NAMES
        ]

    async def reflect(
        self, requests: AsyncIterator[pb.ServerReflectionRequest], call: Call
    ) -> AsyncIterator[pb.ServerReflectionResponse]:
        """Answers ServerReflectionInfo."""
        async for request in requests:
            response = self._answer(request)
            response.valid_host = request.host
            response.original_request.CopyFrom(request)
            yield response

    def _answer(self, request: pb.ServerReflectionRequest) -> pb.ServerReflectionResponse:
        kind = request.WhichOneof("message_request")
        if kind == "list_services":
            services = [pb.ServiceResponse(name=name) for name in self._services]
            listed = pb.ListServiceResponse(service=services)
            return pb.ServerReflectionResponse(list_services_response=listed)
        if kind == "file_by_filename":
            return self._file(_find_file, request.file_by_filename)
        if kind == "file_containing_symbol":
            return self._file(_find_symbol, request.file_containing_symbol)
        return _error(Code.UNIMPLEMENTED, "proto3 has no extensions to describe")

    def _file(self, find: _Find, name: str) -> pb.ServerReflectionResponse:
        for pool in self._pools:
            try:
                file = find(pool, name)
            except KeyError:
                continue
            found = pb.FileDescriptorResponse(file_descriptor_proto=_with_imports(file))
            return pb.ServerReflectionResponse(file_descriptor_response=found)
        return _error(Code.NOT_FOUND, f"{name!r} is not known here")


def _find_file(pool: DescriptorPool, name: str) -> FileDescriptor:
    return pool.FindFileByName(name)


def _find_symbol(pool: DescriptorPool, name: str) -> FileDescriptor:
    try:
        return pool.FindFileContainingSymbol(name)
    except KeyError:
        # The pool does not take methods for symbols; the protocol does.
        return pool.FindMethodByName(name).containing_service.file


def _with_imports(file: FileDescriptor) -> list[bytes]:
    """The file and all that it imports, serialised, each once."""
    files: dict[str, bytes] = {}
    waiting = [file]
    while waiting:
        each = waiting.pop()
        if each.name not in files:
            proto = descriptor_pb2.FileDescriptorProto()
            each.CopyToProto(proto)
            files[each.name] = proto.SerializeToString()
            waiting.extend(each.dependencies)
    return list(files.values())


def _error(code: Code, message: str) -> pb.ServerReflectionResponse:
    return pb.ServerReflectionResponse(
        error_response=pb.ErrorResponse(error_code=code, error_message=message)
    )
