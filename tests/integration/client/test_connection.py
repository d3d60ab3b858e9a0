"""How clients reach a server: targets, several servers, encryption, credentials."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

import saccade
from integration.client.conftest import Connect
from integration.client.servers import EchoClassifier, Identity, make_identity, serve
from saccade import ClientOptions, RetryPolicy, Tls

ONCE = RetryPolicy(max_attempts=1)


@pytest.fixture(scope="module")
def identity() -> Identity:
    """The server's."""
    return make_identity()


@pytest.fixture(scope="module")
def client_identity() -> Identity:
    """The client's."""
    return make_identity()


@pytest.fixture
def secure_server(classifier: EchoClassifier, identity: Identity) -> Iterator[str]:
    """A server that encrypts."""
    credentials = grpc.ssl_server_credentials([(identity.key, identity.certificate)])
    with serve(classifier, credentials) as address:
        yield address


@pytest.fixture
def strict_server(
    classifier: EchoClassifier, identity: Identity, client_identity: Identity
) -> Iterator[str]:
    """A server that encrypts and asks clients who they are."""
    credentials = grpc.ssl_server_credentials(
        [(identity.key, identity.certificate)], client_identity.certificate, True
    )
    with serve(classifier, credentials) as address:
        yield address


@pytest.mark.parametrize("form", ["localhost:{}", "dns:///localhost:{}", "ipv4:127.0.0.1:{}"])
async def test_any_target_of_grpc_will_do(connect: Connect, server: str, form: str) -> None:
    """With or without a scheme."""
    target = form.format(server.rpartition(":")[2])

    assert 1 == len(await connect(target).classify(b"a"))


async def test_a_unix_socket_is_a_target(
    connect: Connect, classifier: EchoClassifier, tmp_path: Path
) -> None:
    """For a sidecar."""
    target = f"unix:{tmp_path}/socket"
    with serve(classifier, address=target):
        assert 1 == len(await connect(target).classify(b"a"))


async def test_calls_are_spread_over_all_addresses(connect: Connect) -> None:
    """One client keeps two servers busy."""
    two = EchoClassifier(), EchoClassifier()
    with serve(two[0]) as first, serve(two[1]) as second:
        ports = [address.rpartition(":")[2] for address in (first, second)]
        asking = connect("ipv4:" + ",".join(f"127.0.0.1:{port}" for port in ports))
        # The second connection may stand a little later than the first.
        async with asyncio.timeout(10):
            while not all(classifier.requests for classifier in two):
                await asking.classify(b"a")

    assert all(classifier.requests for classifier in two)


async def test_a_server_that_is_not_there_is_unavailable(connect: Connect, server: str) -> None:
    """Well before the deadline."""
    with serve(EchoClassifier()) as address:
        pass
    asking = connect(address, ClientOptions(retry=ONCE, timeout_s=60))
    with pytest.raises(saccade.Unavailable):
        await asyncio.wait_for(asking.classify(b"a"), 20)


async def test_a_server_is_trusted_by_its_root(
    connect: Connect, secure_server: str, identity: Identity
) -> None:
    """Here its own certificate."""
    options = ClientOptions(tls=Tls(root_certificates=identity.certificate))

    assert 1 == len(await connect(secure_server, options).classify(b"a"))


async def test_a_server_of_another_root_is_not_trusted(
    connect: Connect, secure_server: str, client_identity: Identity
) -> None:
    """Nothing is sent to it."""
    tls = Tls(root_certificates=client_identity.certificate)
    with pytest.raises(saccade.Unavailable):
        await connect(secure_server, ClientOptions(tls=tls, retry=ONCE)).classify(b"a")


async def test_a_client_shows_its_certificate(
    connect: Connect, strict_server: str, identity: Identity, client_identity: Identity
) -> None:
    """To a server that asks for it."""
    tls = Tls(
        root_certificates=identity.certificate,
        certificate_chain=client_identity.certificate,
        private_key=client_identity.key,
    )

    assert 1 == len(await connect(strict_server, ClientOptions(tls=tls)).classify(b"a"))


async def test_without_a_certificate_such_a_server_is_unavailable(
    connect: Connect, strict_server: str, identity: Identity
) -> None:
    """It ends the handshake."""
    tls = Tls(root_certificates=identity.certificate)
    with pytest.raises(saccade.Unavailable):
        await connect(strict_server, ClientOptions(tls=tls, retry=ONCE)).classify(b"a")


async def test_the_right_token_opens_the_door(
    connect: Connect, server: str, classifier: EchoClassifier
) -> None:
    """As a bearer token."""
    classifier.token = "t0p"

    assert 1 == len(await connect(server, ClientOptions(token="t0p")).classify(b"a"))


@pytest.mark.parametrize("token", [None, "wrong"])
async def test_another_token_does_not(
    connect: Connect, server: str, classifier: EchoClassifier, token: str | None
) -> None:
    """Nor does none."""
    classifier.token = "t0p"
    with pytest.raises(saccade.Unauthenticated):
        await connect(server, ClientOptions(token=token)).classify(b"a")


def test_an_async_client_needs_a_running_loop() -> None:
    """Made at import time it would belong to a loop that never runs."""
    with pytest.raises(RuntimeError, match="no running event loop"):
        saccade.AsyncClient("localhost:8500")


async def test_clients_end_with_their_context(server: str) -> None:
    """And may be closed once more."""
    with saccade.Client(server) as client:
        client.classify(b"a")
    client.close()
    async with saccade.AsyncClient(server) as async_client:
        await async_client.classify(b"a")
    await async_client.close()
    with pytest.raises(ValueError, match="closed"):
        client.classify(b"a")
