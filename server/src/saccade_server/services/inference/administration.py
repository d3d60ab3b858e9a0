"""The protocol's methods for the repository, and those that are not offered."""

from typing import Any

from saccade_server.errors import PermissionDenied, SaccadeError, Unimplemented
from saccade_server.protocols import inference_pb as pb
from saccade_server.registry import Registry
from saccade_server.services.call import Call, UnaryHandler
from saccade_server.services.inference.describing import add_to_index
from saccade_server.services.inference.reading import SHARED_MEMORY

_REFUSED = {
    "SystemSharedMemoryStatus": SHARED_MEMORY,
    "SystemSharedMemoryRegister": SHARED_MEMORY,
    "SystemSharedMemoryUnregister": SHARED_MEMORY,
    "CudaSharedMemoryStatus": SHARED_MEMORY,
    "CudaSharedMemoryRegister": SHARED_MEMORY,
    "CudaSharedMemoryUnregister": SHARED_MEMORY,
    "TraceSetting": "trace settings are not offered: see /metrics for the time of each stage",
    "LogSettings": "log settings are not offered: start the server with --log-level",
}


class Administration:
    """Index, load, unload.

    Args:
        registry: Of the models.
        allowed: Whether callers may load and unload.
    """

    def __init__(self, registry: Registry, *, allowed: bool) -> None:
        self._registry = registry
        self._allowed = allowed

    def handlers(self) -> dict[str, UnaryHandler]:
        """The handlers by the method's name."""
        return {
            "RepositoryIndex": self.index,
            "RepositoryModelLoad": self.load,
            "RepositoryModelUnload": self.unload,
            **{name: _refusal(text) for name, text in _REFUSED.items()},
        }

    async def index(self, request: Any, call: Call) -> Any:
        """Answers RepositoryIndex."""
        _check_repository(request)
        response = pb.RepositoryIndexResponse()
        for version in await self._registry.index():
            if version.ready or not request.ready:
                add_to_index(response, version)
        return response

    async def load(self, request: Any, call: Call) -> Any:
        """Answers RepositoryModelLoad: returns when the model answers."""
        self._check(request)
        if len(request.parameters):
            raise Unimplemented(
                "the configuration and the files of a model come from the repository only: "
                "load without parameters"
            )
        try:
            await self._registry.load(request.model_name)
        except SaccadeError as error:
            raise type(error)(f"failed to load {request.model_name!r}: {error.message}") from None
        return pb.RepositoryModelLoadResponse()

    async def unload(self, request: Any, call: Call) -> Any:
        """Answers RepositoryModelUnload: returns when the model's requests are finished.

        `unload_dependents` is accepted: no model depends on another.
        """
        self._check(request)
        await self._registry.unload(request.model_name)
        return pb.RepositoryModelUnloadResponse()

    def _check(self, request: Any) -> None:
        if not self._allowed:
            raise PermissionDenied(
                "explicit model load / unload is not allowed: "
                "start the server with --model-control explicit"
            )
        _check_repository(request)


def _check_repository(request: Any) -> None:
    if request.repository_name:
        raise Unimplemented("'repository_name' specification is not supported: there is only one")


def _refusal(text: str) -> UnaryHandler:
    async def refuse(request: Any, call: Call) -> Any:
        raise Unimplemented(text)

    return refuse
