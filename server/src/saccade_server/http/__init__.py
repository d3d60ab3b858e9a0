"""The side port: metrics, probes and the HTTP forms of the APIs."""

from saccade_server.http.inference import InferenceRoutes
from saccade_server.http.side_port import SidePort

__all__ = ["InferenceRoutes", "SidePort"]
