"""A server process with TLS and tokens, and the client library."""

from pathlib import Path

import pytest
from PIL import Image

from conftest import StartServer
from fixtures.http import get
from integration.client.servers import make_identity
from saccade import Client, ClientOptions, PermissionDenied, Tls, Unauthenticated

CALLER = "caller-0123456789"
KEEPER = "keeper-0123456789"


@pytest.mark.parametrize("transport", ["grpcio", "http2"])
def test_tls_and_tokens_hold_from_the_command_to_the_client(
    start_server: StartServer, repository: Path, tmp_path: Path, transport: str
) -> None:
    """Only the right token classifies; the log at debug level holds neither token nor image."""
    identity = make_identity()
    for name, content in (("cert.pem", identity.certificate), ("key.pem", identity.key)):
        (tmp_path / name).write_bytes(content)
    tokens = tmp_path / "tokens"
    tokens.write_text(f"{CALLER} predict\n{KEEPER} admin\n")
    tokens.chmod(0o600)
    picture = tmp_path / "picture.png"
    Image.new("L", (8, 8), 77).save(picture)
    server = start_server(
        repository, f"--transport={transport}", f"--tls-cert={tmp_path / 'cert.pem'}",
        f"--tls-key={tmp_path / 'key.pem'}", f"--token-file={tokens}", "--log-level=debug",
    )  # fmt: skip
    server.wait_ready()
    tls = Tls(root_certificates=identity.certificate)

    def classify(token: str | None) -> int:
        with Client(server.grpc, ClientOptions(tls=tls, token=token)) as client:
            return len(client.classify(picture))

    assert classify(CALLER) == 1
    with pytest.raises(PermissionDenied):
        classify(KEEPER)
    for wrong in (None, "wrong-0123456789"):
        with pytest.raises(Unauthenticated):
            classify(wrong)
    assert get(server.http, "/metrics")[0] == 200
    assert get(server.http, "/v2/models/digits")[0] == 404
    for secret in (CALLER, KEEPER, "wrong-0123456789", repr(picture.read_bytes())[2:40]):
        assert secret not in server.log
