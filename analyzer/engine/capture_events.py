"""Events that belong to no session."""

from analyzer.tls.events import NO_ROLE, Event

NO_SESSION = -1


class OtherTraffic(Event):
    """A TCP connection to port 443 that was captured from its first byte, and has no TLS. It is emitted when it ends.

    key: addresses and ports, as in a packet from its client. head: its first bytes. frame: the frame in which they are.
    """

    __slots__ = ("head", "key")

    def __init__(self, key: bytes, head: bytes, frame: int, at: int) -> None:
        self.key = key
        self.head = head
        self.session = NO_SESSION
        self.role = NO_ROLE
        self.frame = frame
        self.at = at
        self.version = 0


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
