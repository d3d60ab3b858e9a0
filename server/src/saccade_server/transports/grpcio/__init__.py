"""gRPC by grpcio's core, whose completions the event loop takes itself.

    server       listens, hands calls out, finds the way to the end
    rpc          one call, from its headers to its status
    completions  what the core has done, brought into the loop's thread
    arguments    the core's names for our limits, and TLS
    core         the part of grpcio that we stand on

grpcio's own asyncio server stands on the same core and takes three times the processor for a call:
a thread passes each completion on to the loop, and each call has two tasks and several futures.
Here the loop looks for completions when it comes round, and a thread waits only if there are none.
"""

from saccade_server.transports.grpcio.server import GrpcioTransport

__all__ = ["GrpcioTransport"]
