"""The log at its most talkative: neither tokens nor what stands in images is in it."""

import base64
import json
import socket
from pathlib import Path
from typing import Any

import grpc
import pytest
from PIL import Image

from conftest import StartServer
from fixtures.hostile_images import blank_png, exif, jpeg
from fixtures.pictures import encode, png_chunk
from fixtures.raw_grpc import RawCall
from fixtures.real_requests import real_requests
from saccade.v1 import classifier_pb2 as pb
from saccade.v1.classifier_pb2_grpc import ImageClassifierStub
from saccade_server.transports.http2 import frames
from saccade_server.transports.http2.errors import ErrorCode

TOKEN = "a-token-that-nobody-may-see"
WRONG = "another-token-that-is-wrong"
MARK = b"what-only-the-image-says"

MARKED = [
    blank_png(8, 8, chunks=png_chunk(b"tEXt", b"Comment\0" + MARK)),
    blank_png(8, 8, chunks=png_chunk(b"tEXt", b"Comment\0" + MARK))[:-30],
    jpeg((0xFE, MARK), (0xE1, b"Exif\0\0" + exif([(0x010E, 2, 24, 26)]) + MARK)),
    encode(Image.new("L", (8, 8)), "GIF", comment=MARK),
    MARK,
]
"""Images that hold the mark: whole, cut off, and none at all."""


@pytest.mark.parametrize("transport", ["grpcio", "http2"])
def test_neither_tokens_nor_images_are_logged(
    start_server: StartServer, repository: Path, tmp_path: Path, transport: str
) -> None:
    """Whatever is asked, with the right token, a wrong one and none."""
    tokens = tmp_path / "tokens"
    tokens.write_text(f"{TOKEN} predict,admin\n")
    server = start_server(
        repository,
        "--engine=litert",
        "--log-level=debug",
        f"--transport={transport}",
        f"--token-file={tokens}",
    )
    server.wait_ready()
    with grpc.insecure_channel(server.grpc) as channel:
        for token in (TOKEN, WRONG, ""):
            for image in MARKED:
                ask(channel, server.http, image, token)
    call = RawCall(server.grpc, ("authorization", b"Bearer \xff" + WRONG.encode()))
    call.send([bytes(5)])
    call.wait()
    call.close()
    # Who goes away may say why.
    last_words = frames.goaway(0, ErrorCode.INTERNAL_ERROR, f"\n{MARK.decode()}")
    send(server.grpc, frames.PREFACE + frames.settings({}) + last_words, end=True)
    server.stop()
    log = server.log.encode()
    packed = base64.b64encode(MARK)[:20]
    secrets = [TOKEN.encode(), WRONG.encode(), MARK, packed, MARK.hex().encode()]

    assert ([], True, False) == (
        [each for each in secrets if each in log],
        b"UNAUTHENTICATED" in log,
        b"Traceback" in log,
    )


def ask(channel: grpc.Channel, http: str, image: bytes, token: str) -> None:
    """Asks with an image in every way, right and wrong."""
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    stub: Any = ImageClassifierStub(channel)
    native = pb.ClassifyRequest(images=[pb.Image(encoded=image)])
    refused(lambda: stub.Classify(native, metadata=metadata, timeout=20))
    for path, body in real_requests(image).items():
        if "Stream" not in path:
            call: Any = channel.unary_unary(path)
            refused(lambda call=call, body=body: call(body, metadata=metadata, timeout=20))
            refused(lambda call=call, body=body: call(body[:-9], metadata=metadata, timeout=20))
            refused(lambda call=call: call(MARK, metadata=metadata, timeout=20))
    text = base64.b64encode(image).decode()
    post(http, "/v1/models/digits:predict", json.dumps({"instances": [{"b64": text}]}), token)
    post(http, "/v1/models/digits:predict", json.dumps({"instances": [text]}), token)
    post(http, "/v1/models/digits:predict", image.decode("latin-1"), token)
    # No HTTP at all.
    send(http, image + b"\r\n\r\n")


def refused(call: Any) -> None:
    """Asks, and takes any answer."""
    try:
        call()
    except grpc.RpcError as error:
        known: Any = error
        assert known.code() is not grpc.StatusCode.INTERNAL, known.details()


def post(address: str, path: str, body: str, token: str) -> None:
    """A request as a program would write it that knows little of HTTP."""
    data = body.encode("latin-1")
    length = f"Content-Length: {len(data)}\r\n"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{length}"
    send(address, f"{head}Authorization: Bearer {token}\r\n\r\n".encode() + data)


def send(address: str, data: bytes, *, end: bool = False) -> None:
    """Sends bytes, says that there are no more if `end`, and reads what comes, to its end."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(data)
        if end:
            connection.shutdown(socket.SHUT_WR)
        try:
            while connection.recv(1 << 16):
                pass
        except ConnectionError:
            pass
