"""The side port: metrics, probes and the HTTP forms of the APIs."""

from saccade_server.http.connections import HttpLimits
from saccade_server.http.inference import InferenceRoutes
from saccade_server.http.side_port import SidePort
from saccade_server.http.tfserving import TensorFlowServingRoutes

__all__ = ["HttpLimits", "InferenceRoutes", "SidePort", "TensorFlowServingRoutes"]
