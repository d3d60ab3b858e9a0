"""What only gRPC's own server needs: an end that calls it holds do not put off."""

import asyncio

import hpack

from fixtures.echo import EchoService, make_answerer
from fixtures.http2_peer import head
from integration.transports.conftest import MAX_MESSAGE_BYTES
from integration.transports.test_calls import TIMEOUT_S
from saccade_server.transports.grpcio import GrpcioTransport
from saccade_server.transports.http2 import frames


async def test_a_call_that_was_never_handed_out_does_not_put_off_the_end(
    service: EchoService,
) -> None:
    """GRPC has received it, without its message, and would wait for it for the whole grace."""
    transport = GrpcioTransport(
        service.methods(),
        make_answerer(),
        address="127.0.0.1:0",
        max_message_bytes=MAX_MESSAGE_BYTES,
    )
    await transport.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", transport.port)
    block = hpack.Encoder().encode(head("Say"))
    writer.write(
        frames.PREFACE
        + frames.settings({})
        + frames.frame(frames.HEADERS, frames.END_HEADERS, 1, block)
        + frames.frame(frames.PING, 0, 0, b"received")
    )
    while b"received" not in await asyncio.wait_for(reader.read(1000), TIMEOUT_S):
        pass

    await asyncio.wait_for(transport.stop(60), TIMEOUT_S)
    writer.close()
