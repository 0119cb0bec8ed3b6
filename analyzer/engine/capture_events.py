"""Events that belong to no session."""

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
