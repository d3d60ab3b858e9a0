"""What peers do wrong, in the log: a line each, in a bounded number (see `logs.RateLimit`)."""

import logging

log = logging.getLogger(__name__)


def tell_trouble(peer: str, what: str, code: str) -> None:
    """Logs that a peer broke a rule, or was turned away.

    Args:
        peer: Its address.
        what: For a person.
        code: By which the number of lines is bounded.
    """
    log.info("%s", what, extra={"fields": {"peer": peer, "code": code}})
