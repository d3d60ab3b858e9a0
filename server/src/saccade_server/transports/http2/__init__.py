"""gRPC over an HTTP/2 of our own, on asyncio: a tenth of the cost of grpcio's asyncio server.

    server       listens; owns what all connections share, and the way to the end
    connection   bytes to frames; settings, pings, GOAWAY
    streams      the streams of a connection: opens, finds and closes them
    stream       one call, from its first frame to its status
    intake       what a call has received: messages, windows, memory
    outbox       what a connection has to send: windows, order, back pressure
    head, reply  the headers of a request, and those of an answer
    hpack, huffman, frames, errors, options, guard   what these stand on

Everything runs in the event loop's thread; only decompression leaves it.
"""

from saccade_server.transports.http2.options import Http2Options
from saccade_server.transports.http2.server import Http2Transport

__all__ = ["Http2Options", "Http2Transport"]
