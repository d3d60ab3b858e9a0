"""The side port: metrics and probes over HTTP."""

from saccade_server.http.side_port import SidePort

__all__ = ["SidePort"]
