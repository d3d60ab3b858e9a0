"""The methods of both services, for a transport."""

from typing import Any

from google.protobuf.message import Message

from saccade_server.errors import SaccadeError
from saccade_server.protocols import tensorflow_serving_pb as pb
from saccade_server.services.call import Call, Method, UnaryHandler
from saccade_server.services.tfserving.models import ModelService
from saccade_server.services.tfserving.prediction import PredictionService
from saccade_server.services.tfserving.specs import shortened

API = "tensorflow_serving"
"""The metrics' label."""


def tensorflow_serving_methods(prediction: PredictionService, models: ModelService) -> list[Method]:
    """The methods of `PredictionService` and `ModelService`."""
    predicting = "tensorflow.serving.PredictionService"
    managing = "tensorflow.serving.ModelService"
    return [
        _method(f"/{service}/{name}", request, handler)
        for service, name, request, handler in (
            (predicting, "Predict", pb.PredictRequest, prediction.predict),
            (predicting, "Classify", pb.ClassificationRequest, prediction.classify),
            (predicting, "Regress", pb.RegressionRequest, prediction.regress),
            (predicting, "MultiInference", pb.MultiInferenceRequest, prediction.multi_inference),
            (
                predicting,
                "GetModelMetadata",
                pb.GetModelMetadataRequest,
                prediction.get_model_metadata,
            ),
            (managing, "GetModelStatus", pb.GetModelStatusRequest, models.get_model_status),
            (
                managing,
                "HandleReloadConfigRequest",
                pb.ReloadConfigRequest,
                models.handle_reload_config_request,
            ),
        )
    ]


def _method(path: str, request: type[Message], handler: UnaryHandler) -> Method:
    async def answer(message: Any, call: Call) -> Message:
        try:
            return await handler(message, call)
        except SaccadeError as error:
            raise shortened(error) from None

    return Method(api=API, path=path, request=request, unary=answer)
