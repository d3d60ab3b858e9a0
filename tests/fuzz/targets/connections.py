"""What a client of the `http2` transport sends, as bytes."""

from contextlib import AbstractContextManager

from google.protobuf.wrappers_pb2 import BytesValue, StringValue

from fixtures.echo import PREFIX
from fixtures.http2_peer import Peer
from fixtures.raw_grpc import conversation
from saccade_server.services.answer import Answerer
from saccade_server.transports.http2 import frames

from ..catalogue import Check
from ..echoing import OPTIONS, conversations, leave

_WHOLE = b"\0"


def seeds() -> list[bytes]:
    """Calls of all kinds."""
    said = BytesValue(value=b"hello").SerializeToString()
    counted = StringValue(value="3 x 9").SerializeToString()
    calls = [*((name, said) for name in ("Say", "Join", "Chat", "Sing")), ("Split", counted)]
    begun = len(frames.PREFACE)
    return [_WHOLE + conversation(PREFIX + name, body)[begun:] for name, body in calls]


def opened() -> AbstractContextManager[Check]:
    """See `Target`."""
    return conversations(_talk)


async def _talk(answerer: Answerer, data: bytes) -> None:
    """How bytes are cut into reads makes no difference, and nothing is left of them."""
    size, sent = data[:1], data[1:]
    answered = await _send(answerer, sent, len(sent) or 1)
    if size > _WHOLE:
        assert answered == await _send(answerer, sent, size[0])


async def _send(answerer: Answerer, data: bytes, size: int) -> list[tuple[int, int, int]]:
    """Sends in reads of a size; gives kind, flags and stream of the frames that come back."""
    peer = Peer(OPTIONS, greet=False, answerer=answerer)
    peer.send(frames.PREFACE)
    for position in range(0, len(data), size):
        peer.send(data[position : position + size])
    answered = [(each.kind, each.flags, each.stream) for each in await peer.receive()]
    await leave(peer)
    return answered
