"""Events that belong to no session."""

from typing import Any

from analyzer.tls.events import NO_ROLE, Event

NO_SESSION = -1

WATCHES_REVOCATION = 1
"""A flag of `Dispatcher.watches`."""


class RevocationSeen(Event):
    """An OCSP response or a revocation list in plain HTTP. It is not verified.

    content_type: as declared in the response. body: its bytes.
    """

    __slots__ = ("body", "content_type")

    def __init__(self, content_type: str, body: bytes) -> None:
        self.content_type = content_type
        self.body = body
        self.session = NO_SESSION
        self.role = NO_ROLE
        self.frame = 0
        self.at = -1
        self.version = 0


class PlainHttp(Event):
    """HTTP exchanges of a connection without TLS, or of its part before TLS.

    It is emitted only on request (`Engine`), when that ends. key: addresses and ports, as in a packet from the client.
    exchanges: each an `Exchange`, in the order of the requests. order: its place among all ends, as that of `SessionEnded`.
    """

    __slots__ = ("exchanges", "key", "order")

    def __init__(self, key: bytes, exchanges: list[Any], order: int, frame: int, at: int) -> None:
        self.key = key
        self.exchanges = exchanges
        self.order = order
        self.session = NO_SESSION
        self.role = NO_ROLE
        self.frame = frame
        self.at = at
        self.version = 0
