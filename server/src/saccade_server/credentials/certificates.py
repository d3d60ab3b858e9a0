"""The server's certificate and key, and whom it trusts, from files."""

import logging
import ssl
import threading
from dataclasses import dataclass, field
from pathlib import Path

from saccade_server.credentials.stamp import Stamp, stamp
from saccade_server.errors import ConfigError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPair:
    """What was read at one moment, in PEM, and the context that proves that it fits together."""

    chain: bytes
    key: bytes = field(repr=False)
    client_ca: bytes | None
    context: ssl.SSLContext


class Certificates:
    """TLS from files; every new connection gets what they hold at that moment.

    Threads may share it.

    Args:
        chain: The server's certificate, followed by those that lead to a root.
        key: Its private key, not encrypted.
        client_ca: Who signs callers' certificates; None: callers need none.

    Attributes:
        mutual: Whether callers need a certificate.

    Raises:
        ConfigError: A file cannot be read, or key and certificate do not belong together.
    """

    def __init__(self, chain: Path, key: Path, client_ca: Path | None = None) -> None:
        self._chain, self._key, self._client_ca = chain, key, client_ca
        self._files = [chain, key, *([client_ca] if client_ca else [])]
        self.mutual = client_ca is not None
        self._lock = threading.Lock()
        self._refused: object = None
        try:
            self._stamps = self._look()
            self._pair = self._read()
        except (OSError, ValueError) as error:
            raise ConfigError(f"--tls-cert, --tls-key, --tls-client-ca: {error}") from None

    def current(self) -> KeyPair:
        """The newest pair that is whole. A wrong one is logged once, and the old one stays."""
        with self._lock:
            stamps = None
            try:
                stamps = self._look()
                if stamps in (self._stamps, self._refused):
                    return self._pair
                pair = self._read()
                # In the middle of a replacement: the next connection looks again.
                if stamps == self._look():
                    self._pair, self._stamps, self._refused = pair, stamps, None
                    log.info("new certificate read from %s", self._chain)
            except (OSError, ValueError) as error:
                refused = stamps or str(error)
                if refused != self._refused:
                    log.error("the old certificate stays in service: %s", error)
                self._refused = refused
            return self._pair

    def context(self) -> ssl.SSLContext:
        """For a server of Python's: hands each handshake on to the newest pair."""
        context = self._read().context

        def choose(handshake: ssl.SSLObject, _: str | None, __: ssl.SSLContext) -> None:
            handshake.context = self.current().context

        context.sni_callback = choose
        return context

    def _look(self) -> list[Stamp]:
        return [stamp(each) for each in self._files]

    def _read(self) -> KeyPair:
        """Raises OSError (ssl.SSLError is one) or ValueError where something is wrong."""
        client_ca = self._client_ca.read_bytes() if self._client_ca else None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["h2"])
        # A password, so that an encrypted key is an error and no question at the terminal.
        context.load_cert_chain(self._chain, self._key, password="")
        if client_ca is not None:
            context.load_verify_locations(cadata=client_ca.decode("ascii"))
            context.verify_mode = ssl.CERT_REQUIRED
        return KeyPair(
            chain=self._chain.read_bytes(),
            key=self._key.read_bytes(),
            client_ca=client_ca,
            context=context,
        )
