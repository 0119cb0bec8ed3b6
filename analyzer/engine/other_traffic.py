"""Detects connections to port 443 that carry something else than TLS.

Firewalls let this port through, so plain HTTP, remote logins and other tunnels use it. That a connection has no TLS is known
only at its end, because TLS can begin after a greeting (`detection`).
"""

from analyzer.engine.capture_events import NO_SESSION
from analyzer.engine.detection import hello_at, ssl2_hello_at
from analyzer.tls.events import NO_ROLE, Event

HTTPS = 443

WATCHES_HTTPS = 2
"""A flag of `Dispatcher.watches`."""

SHORTEST_HEAD, KEPT = 12, 16
"""First bytes that may be the beginning of a hello if there are fewer, and those that are kept."""


class OtherTraffic(Event):
    """A TCP connection to port 443 that was captured from its first byte, and has no TLS. It is emitted when it ends.

    It is emitted only on request (`Engine`). key: addresses and ports, as in a packet from its client. head: its first bytes.
    frame: the frame in which they are.
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


def other_traffic(key: bytes, head: bytes, frame: int, at: int) -> OtherTraffic | None:
    """Return the event for a connection to port 443 that begins with these bytes and not with TLS; None if it is no such one.

    key: of the originator's packets. None too if the bytes are few, and a hello may begin with them. Whether one came later is
    known at the end of the connection.
    """
    if int.from_bytes(key[-2:], "big") != HTTPS or not head:
        return None
    if len(head) < SHORTEST_HEAD and max(hello_at(head, 0, len(head)), ssl2_hello_at(head, 0, len(head))) >= 0:
        return None
    return OtherTraffic(key, head[:KEPT], frame, at)
