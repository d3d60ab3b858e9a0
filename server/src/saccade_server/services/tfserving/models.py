"""`tensorflow.serving.ModelService`: the models' states, and another set of models."""

from typing import Any

from saccade_server.errors import ConfigError, InvalidArgument, PermissionDenied
from saccade_server.protocols import tensorflow_serving_pb as pb
from saccade_server.registry import Registry, State, Version
from saccade_server.services.call import Call
from saccade_server.services.tfserving.configs import read_model_configs
from saccade_server.services.tfserving.specs import find_versions

_STATES = {
    State.WAITING: "START",
    State.LOADING: "LOADING",
    State.READY: "AVAILABLE",
    State.UNLOADING: "UNLOADING",
    State.FAILED: "END",
    State.UNLOADED: "END",
}

UNKNOWN = 2
"""The code of a version that failed to load."""


class ModelService:
    """Check, delegate, reply.

    Args:
        registry: Of the models.
        may_change_models: Whether callers may say what is served.
    """

    def __init__(self, registry: Registry, *, may_change_models: bool) -> None:
        self._registry = registry
        self._may_change_models = may_change_models

    async def get_model_status(self, request: Any, call: Call) -> Any:
        """Answers GetModelStatus."""
        call.identify("")
        versions = find_versions(self._registry, request)
        call.model = versions[0].model
        response = pb.GetModelStatusResponse()
        for version in versions:
            _describe(response.model_version_status.add(), version)
        return response

    async def handle_reload_config_request(self, request: Any, call: Call) -> Any:
        """Answers HandleReloadConfigRequest: returns when the new set answers."""
        call.identify("")
        if not self._may_change_models:
            raise PermissionDenied("the models may not be changed: see --model-control")
        if request.config.WhichOneof("config") != "model_config_list":
            raise InvalidArgument(
                "ServerModelConfig type not supported by HandleReloadConfigRequest. "
                "Only ModelConfigList is currently supported"
            )
        try:
            await self._registry.configure(read_model_configs(request.config))
        except ConfigError as error:
            raise InvalidArgument(str(error)) from None
        response = pb.ReloadConfigResponse()
        response.status.error_message = ""
        return response


def _describe(target: Any, version: Version) -> None:
    target.version = version.version
    target.state = pb.ModelVersionStatus.State.Value(_STATES[version.state])
    target.status.error_message = version.reason if version.state is State.FAILED else ""
    target.status.error_code = UNKNOWN if version.state is State.FAILED else 0
