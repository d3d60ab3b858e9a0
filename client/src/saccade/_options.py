"""The settings of a client and what they mean to gRPC."""

import json
import math
import re
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from saccade._credentials import check_token, is_loopback
from saccade._errors import InputError
from saccade._retry import RetryPolicy

AUTHORIZATION = "authorization"
"""The key of a token among the metadata."""

_METADATA_KEY = re.compile(r"[0-9a-z_.-]+")
_METADATA_TEXT = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Encryption, and a client certificate where the server asks for one. All values are PEM.

    Attributes:
        root_certificates: Whom to trust; None: the roots that come with gRPC.
        certificate_chain: The client's certificate, followed by those that lead to a root.
        private_key: The key of that certificate.

    Raises:
        InputError: One of certificate and key stands without the other.
    """

    root_certificates: bytes | None = None
    certificate_chain: bytes | None = None
    private_key: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if (self.certificate_chain is None) != (self.private_key is None):
            raise InputError("a client certificate needs its private key, and the other way round")

    def credentials(self) -> grpc.ChannelCredentials:
        """The same for gRPC."""
        return grpc.ssl_channel_credentials(
            self.root_certificates, self.private_key, self.certificate_chain
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """The settings of a client.

    Attributes:
        timeout_s: Seconds that a call may take, retries and all requests of a split list
            included, unless the call says otherwise. `math.inf`: for ever.
        tls: None: no encryption.
        token: A bearer token sent with each call.
        token_file: A file that holds the token instead. It is read again when it changes, so a
            token that is replaced while the client lives, as by Kubernetes, is taken over.
        allow_plaintext_token: Without `tls` a token goes to this machine only, since everybody on
            the way could read it. True: to others too, as in a mesh that encrypts.
        metadata: Further pairs sent with each call; keys in lower case.
        retry: When a failed call is made again.
        max_request_images: A longer list is split into requests of at most this many images.
        max_request_bytes: The same for the sum of the images' bytes; a larger image travels alone.
            The default stays below the 4 MiB that a gRPC server accepts unless told otherwise.
        max_concurrent_requests: Requests of one split list under way at the same time.
        max_message_bytes: The largest message sent or received.
        keepalive_s: While a call is open and nothing arrives for this many seconds, the server is
            asked whether it is still there; after 10 s without an answer the connection is given
            up. `math.inf`: never ask, and notice a vanished server only after many minutes.

    Raises:
        InputError: A value is out of range.
    """

    timeout_s: float = 10.0
    tls: Tls | None = None
    token: str | None = field(default=None, repr=False)
    token_file: Path | str | None = None
    allow_plaintext_token: bool = False
    metadata: tuple[tuple[str, str | bytes], ...] = field(default=(), repr=False)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    max_request_images: int = 32
    max_request_bytes: int = 3 << 20
    max_concurrent_requests: int = 8
    max_message_bytes: int = 64 << 20
    keepalive_s: float = 30.0

    def __post_init__(self) -> None:
        for name in (
            "timeout_s",
            "max_request_images",
            "max_request_bytes",
            "max_concurrent_requests",
            "max_message_bytes",
            "keepalive_s",
        ):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} must be above 0, got {getattr(self, name)}")
        if self.token is not None:
            check_token(self.token)
        for key, value in self.metadata:
            if not _METADATA_KEY.fullmatch(key):
                raise InputError(f"the metadata key {key!r} must be lower-case ASCII")
            # gRPC would refuse it too, but with the value, which may be a secret, in its text.
            if isinstance(value, str) and not _METADATA_TEXT.fullmatch(value):
                raise InputError(f"the metadata value of {key!r} must be printable ASCII")
        if self._tokens > 1:
            raise InputError("give one of token, token_file and authorization among the metadata")

    @property
    def guards_token(self) -> bool:
        """Whether there is a token that may not leave this machine."""
        return self._tokens > 0 and self.tls is None and not self.allow_plaintext_token

    @property
    def _tokens(self) -> int:
        among_metadata = sum(key == AUTHORIZATION for key, _ in self.metadata)
        return (self.token is not None) + (self.token_file is not None) + among_metadata

    def channel_arguments(self) -> list[tuple[str, int | str]]:
        """The settings of the channel, by the names that gRPC gives them."""
        arguments: list[tuple[str, int | str]] = [
            # A DNS name stands for all its addresses: without this one of them gets all calls.
            ("grpc.service_config", json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})),
            # By default gRPC asks DNS again only after 30 s and backs off up to 120 s: longer than
            # a rolling restart takes, or a caller waits.
            ("grpc.dns_min_time_between_resolutions_ms", 5_000),
            ("grpc.initial_reconnect_backoff_ms", 200),
            ("grpc.max_reconnect_backoff_ms", 5_000),
            ("grpc.max_send_message_length", self.max_message_bytes),
            ("grpc.max_receive_message_length", self.max_message_bytes),
        ]
        if self.keepalive_s < math.inf:
            arguments += [
                ("grpc.keepalive_time_ms", round(self.keepalive_s * 1000)),
                ("grpc.keepalive_timeout_ms", 10_000),
            ]
        if self.guards_token:
            # http_proxy would carry the token elsewhere.
            arguments.append(("grpc.enable_http_proxy", 0))
        return arguments


def check_target(target: str, options: ClientOptions) -> None:
    """Refuses what gRPC would only find unreachable, and whom a token must not be shown to.

    Raises:
        InputError: The target is empty or a web address, or the token would travel to another
            machine without encryption.
    """
    if not target or target.startswith(("http://", "https://")):
        raise InputError(f"the target {target!r} must be host:port, without http://")
    if options.guards_token and not is_loopback(target):
        raise InputError(
            f"without TLS everybody on the way to {target} could read the token: set tls, or "
            "allow_plaintext_token (--allow-plaintext-token) where the network itself encrypts"
        )
