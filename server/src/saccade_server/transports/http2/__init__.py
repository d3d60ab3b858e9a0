"""gRPC over an HTTP/2 of our own, on asyncio: cheaper than gRPC's core, and all of it ours.

    server       listens; owns what all connections share, and the way to the end
    connection   bytes to frames; the way to its end
    session      what the frames of a connection mean
    streams      the streams of a connection: opens, finds and closes them
    stream       one call, from its first frame to its status; handling runs its handler
    intake       what a call has received: messages, windows, memory
    outbox       what a connection has to send: windows, order, back pressure; a lane for each call
    window       what the peer may send of a stream before it is asked for more
    upkeep       when a connection has to end; guard: how much nonsense is too much
    headers      header blocks; head and reply: what those of requests and of answers say
    hpack, huffman, frames, errors, options, compression   what these stand on

Everything runs in the event loop's thread; only decompression leaves it.
"""

from saccade_server.transports.http2.options import Http2Options
from saccade_server.transports.http2.server import Http2Transport

__all__ = ["Http2Options", "Http2Transport"]
