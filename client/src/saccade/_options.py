"""The settings of a client and what they mean to gRPC."""

import json
import math
import re
from dataclasses import dataclass, field

import grpc

from saccade._errors import InputError
from saccade._retry import RetryPolicy

_METADATA_KEY = re.compile(r"[0-9a-z_.-]+")
_TOKEN = re.compile(r"[\x21-\x7e]+")


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
        token: A bearer token sent with each call. Without `tls` everybody on the way can read it:
            for loopback and for a mesh that encrypts.
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
        # gRPC would refuse these too, but with the secret in its text.
        if self.token is not None and not _TOKEN.fullmatch(self.token):
            raise InputError("the token is empty, or holds spaces, line ends or non-ASCII letters")
        for key, _ in self.metadata:
            if not _METADATA_KEY.fullmatch(key):
                raise InputError(f"the metadata key {key!r} must be lower-case ASCII")

    def call_metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        """What is sent with each call."""
        if self.token is None:
            return self.metadata
        return (*self.metadata, ("authorization", f"Bearer {self.token}"))

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
        return arguments


def check_target(target: str) -> None:
    """Refuses what gRPC would only find unreachable.

    Raises:
        InputError: The target is empty or a web address.
    """
    if not target or target.startswith(("http://", "https://")):
        raise InputError(f"the target {target!r} must be host:port, without http://")
