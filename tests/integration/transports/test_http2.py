"""What only our own HTTP/2 has to show: TLS, an independent client, limits, a drain under load."""

import asyncio
import contextlib
import ssl
from pathlib import Path

import grpc
import grpc.aio
import h2.config
import h2.connection
import h2.events
import hpack
import pytest
from google.protobuf.wrappers_pb2 import BytesValue

from fixtures.echo import EchoService
from fixtures.http2_peer import data, head, message, said
from integration.client.servers import Identity, make_identity
from integration.transports.conftest import OPTIONS, StartHttp2
from integration.transports.test_calls import TIMEOUT_S, settled, unary
from saccade_server.transports.http2 import Http2Options, Http2Transport, frames

WORDS = BytesValue(value=b"words")


@pytest.fixture(scope="module")
def identity() -> Identity:
    """Of the server and, for mutual TLS, of its caller."""
    return make_identity()


def server_context(identity: Identity, folder: Path, *, mutual: bool) -> ssl.SSLContext:
    """TLS as a server sets it up, from files."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(identity.certificate)
    key.write_bytes(identity.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if mutual:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificate)
    return context


@pytest.mark.parametrize("mutual", [False, True])
async def test_calls_travel_over_tls(
    start_http2: StartHttp2, identity: Identity, tmp_path: Path, mutual: bool
) -> None:
    """Small and large ones, with the caller's certificate or without."""
    transport = await start_http2(tls=server_context(identity, tmp_path, mutual=mutual))
    credentials = grpc.ssl_channel_credentials(
        identity.certificate, *((identity.key, identity.certificate) if mutual else ())
    )
    large = BytesValue(value=bytes(3_000_000))

    async with grpc.aio.secure_channel(
        f"localhost:{transport.port}", credentials, options=OPTIONS
    ) as channel:
        answers = [await unary(channel)(x, timeout=TIMEOUT_S) for x in (WORDS, large)]

    assert [WORDS, large] == answers


async def test_mutual_tls_turns_strangers_away(
    start_http2: StartHttp2, identity: Identity, tmp_path: Path
) -> None:
    """Who shows no certificate gets no answer."""
    transport = await start_http2(tls=server_context(identity, tmp_path, mutual=True))
    credentials = grpc.ssl_channel_credentials(identity.certificate)

    async with grpc.aio.secure_channel(
        f"localhost:{transport.port}", credentials, options=OPTIONS
    ) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await unary(channel)(WORDS, timeout=2)

    assert grpc.StatusCode.UNAVAILABLE == caught.value.code()


@pytest.mark.parametrize("protocols", [[], ["http/1.1"]])
async def test_who_does_not_ask_for_h2_is_closed(
    start_http2: StartHttp2, identity: Identity, tmp_path: Path, protocols: list[str]
) -> None:
    """Nothing else is spoken here."""
    transport = await start_http2(tls=server_context(identity, tmp_path, mutual=False))
    context = ssl.create_default_context(cadata=identity.certificate.decode())
    if protocols:
        context.set_alpn_protocols(protocols)

    reader, writer = await asyncio.open_connection("localhost", transport.port, ssl=context)
    with contextlib.suppress(ConnectionResetError):
        assert b"" == await asyncio.wait_for(reader.read(), TIMEOUT_S)
    writer.close()

    await settled(lambda: not transport._shared.connections)


class IndependentClient:
    """A caller built on the package h2: it shares no code with the server, nor with grpcio."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration())
        self.events: list[h2.events.Event] = []
        self._h2.initiate_connection()

    def request(self, number: int, body: bytes) -> None:
        self._h2.send_headers(number, head())
        self._h2.send_data(number, body, end_stream=True)
        self._writer.write(self._h2.data_to_send())

    async def run(self, answers: int) -> None:
        """Reads until so many streams have ended, and lets windows move."""
        while answers:
            data = await asyncio.wait_for(self._reader.read(65536), TIMEOUT_S)
            assert data, "the server has closed"
            for event in self._h2.receive_data(data):
                self.events.append(event)
                if isinstance(event, h2.events.DataReceived):
                    self._h2.acknowledge_received_data(
                        event.flow_controlled_length, event.stream_id
                    )
                answers -= isinstance(event, h2.events.StreamEnded)
            self._writer.write(self._h2.data_to_send())

    def body(self, number: int) -> bytes:
        return b"".join(
            x.data
            for x in self.events
            if isinstance(x, h2.events.DataReceived) and x.stream_id == number
        )

    def statuses(self) -> list[str]:
        return [
            next(value.decode() for name, value in x.headers if name == b"grpc-status")
            for x in self.events
            if isinstance(x, h2.events.TrailersReceived)
        ]


async def test_an_independent_client_finds_no_fault(start_http2: StartHttp2) -> None:
    """The package h2 checks each of our frames by its own rules."""
    transport = await start_http2()
    reader, writer = await asyncio.open_connection("localhost", transport.port)
    client = IndependentClient(reader, writer)
    # Together less than any window, so that nothing has to be read before all is sent.
    bodies = {number: said(bytes([number]) * number * 30) for number in range(1, 60, 2)}

    with contextlib.closing(writer):
        for number, body in bodies.items():
            client.request(number, body)
        await client.run(len(bodies))

    assert bodies == {number: client.body(number) for number in bodies}
    assert ["0"] * len(bodies) == client.statuses()


async def test_connections_beyond_the_limit_are_closed(start_http2: StartHttp2) -> None:
    """And those within it go on; room is made when one of them leaves."""
    transport = await start_http2(Http2Options(max_connections=2))
    first, second, third = [
        await asyncio.open_connection("localhost", transport.port) for _ in range(3)
    ]

    with contextlib.suppress(ConnectionResetError):
        while await asyncio.wait_for(third[0].read(1000), TIMEOUT_S):
            pass
    third[1].close()
    first[1].close()
    await settled(lambda: len(transport._shared.connections) == 1)
    async with grpc.aio.insecure_channel(f"localhost:{transport.port}", options=OPTIONS) as channel:
        answer = await unary(channel)(WORDS, timeout=TIMEOUT_S)
    second[1].close()

    assert WORDS == answer


async def test_a_flood_of_half_requests_disturbs_no_neighbour(start_http2: StartHttp2) -> None:
    """Two hundred connections that begin and do not end, and one caller among them."""
    transport = await start_http2()
    idle = [await asyncio.open_connection("localhost", transport.port) for _ in range(200)]
    for number, (_, writer) in enumerate(idle):
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[: number % 25])

    async with grpc.aio.insecure_channel(f"localhost:{transport.port}", options=OPTIONS) as channel:
        answer = await unary(channel)(WORDS, timeout=TIMEOUT_S)
    for _, writer in idle:
        writer.close()

    assert WORDS == answer
    await settled(lambda: not transport._shared.connections)


async def test_who_asks_and_never_reads_is_dropped(
    start_http2: StartHttp2, service: EchoService
) -> None:
    """Its answers are bounded while it is there, and gone when it is."""
    transport = await start_http2(Http2Options(stall_s=1))
    _, writer = await asyncio.open_connection("localhost", transport.port, limit=1024)
    greedy = b"".join(
        (
            frames.PREFACE,
            frames.settings({frames.INITIAL_WINDOW_SIZE: frames.MAX_WINDOW}),
            frames.window_update(0, frames.MAX_WINDOW - 65535),
        )
    )
    encoder = hpack.Encoder()
    for number in range(1, 21, 2):
        greedy += frames.frame(
            frames.HEADERS, frames.END_HEADERS, number, encoder.encode(head("Split"))
        ) + data(number, message(b"\n\x0d99999 x 99999"), ended=True)

    writer.write(greedy)
    await settled(lambda: service.chunks > 20)
    await settled(lambda: not transport._shared.connections)
    writer.transport.abort()

    # Ten streams, each with what its lane and the two sockets take.
    assert service.chunks < 500


async def test_a_drain_under_load_fails_no_call(
    start_http2: StartHttp2, service: EchoService
) -> None:
    """Callers go elsewhere by themselves: each call is answered, by one server or the next."""
    first, second = await start_http2(), await start_http2()
    stopping = asyncio.Event()
    answered = 0

    async def call(channel: grpc.aio.Channel) -> None:
        nonlocal answered
        while not stopping.is_set():
            assert WORDS == await unary(channel)(WORDS, timeout=TIMEOUT_S)
            answered += 1

    address = f"ipv4:127.0.0.1:{first.port},127.0.0.1:{second.port}"
    options = [*OPTIONS, ("grpc.lb_policy_name", "round_robin")]
    async with contextlib.AsyncExitStack() as stack:
        channels = [
            await stack.enter_async_context(grpc.aio.insecure_channel(address, options=options))
            for _ in range(4)
        ]
        async with asyncio.TaskGroup() as group:
            for channel in channels * 8:
                group.create_task(call(channel))
            await asyncio.sleep(0.5)
            await first.stop(TIMEOUT_S)
            before = answered
            await asyncio.sleep(0.3)
            stopping.set()

    assert not first._shared.connections
    assert answered > before > 0


async def test_an_idle_connection_is_drained_at_once(start_http2: StartHttp2) -> None:
    """A stop does not wait for callers that ask nothing."""
    transport: Http2Transport = await start_http2()
    async with grpc.aio.insecure_channel(f"localhost:{transport.port}", options=OPTIONS) as channel:
        await unary(channel)(WORDS, timeout=TIMEOUT_S)

        await asyncio.wait_for(transport.stop(60), 2)

    assert not transport._shared.connections


async def test_it_listens_on_all_addresses_of_its_host(start_http2: StartHttp2) -> None:
    """On one port."""
    transport = await start_http2()
    families = set()
    for host in ("127.0.0.1", "::1"):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(host, transport.port)
            families.add(host)
            writer.close()

    assert "127.0.0.1" in families
    assert len(families) == len(transport._sockets)
