"""Tells how a TCP connection ended: who closed or reset it, what was never acknowledged, what was sent again (RFC 9293).

A FIN ends one side in order, an RST both at once. Who sends the first of them ends the connection. The number of an RST and its
time to live are compared with the other packets of its sender, because somebody on the path can send one too. Bytes
that their sender repeats, and that the peer never acknowledges, have not arrived.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.flows.connection import Connection, Endpoint, Reset

if TYPE_CHECKING:
    import cython

NEITHER = -1
"""The role of nobody."""


class Ending:
    """How a connection ended. Pairs are by role: the client, the server. Times are nanoseconds since the epoch, -1 if unknown.

    asked, answered: whether the SYN of the client and the SYN-ACK of the server are in the capture; answered_at: when it
    came. n_packets: of each role in the capture. n_bytes: how far its stream has come. fins: frames of the FINs, 0 without
    one; fin_at: time of the first. resets: the first RST of each role, None without one. forged: an RST after which its
    sender went on, None where the connection ended with a FIN. unanswered: bytes that the peer did not acknowledge, -1 where
    that is not known. beyond: how far the peer's acknowledgements go beyond what the capture has of a side, FIN included:
    its end is not in the capture then. resent: segments that came again; largest: bytes of the largest of them;
    resent_frames: the first of their frames. path_errors: ICMP errors about the packets of each role. hops: time to
    live of an early packet. now: time of the frame that ended the connection, or of the last one of the capture.
    """

    __slots__ = (
        "answered", "answered_at", "asked", "beyond", "fin_at", "fins", "forged", "hops", "largest", "n_bytes", "n_packets",
        "now", "path_errors", "resent", "resent_frames", "resets", "unanswered",
    )  # fmt: skip

    def __init__(self, connection: Connection, client: cython.int) -> None:
        """client: the side of the connection that is the client."""
        first: Endpoint = connection.responder if client else connection.originator
        second: Endpoint = first.peer
        self.asked = connection.originator.isn >= 0 and connection.originator_hops >= 0
        self.answered = connection.responder_hops >= 0
        self.answered_at = connection.answered_at
        self.n_packets = (first.n_packets, second.n_packets)
        self.n_bytes = (first.reached(), second.reached())
        self.fins = (first.fin_frame if first.fin >= 0 else 0, second.fin_frame if second.fin >= 0 else 0)
        self.fin_at = connection.fin_at
        self.resets = (first.reset, second.reset)
        self.forged: Reset | None = None if self.fins[0] or self.fins[1] else connection.forged
        self.unanswered = (unanswered(first), unanswered(second))
        self.beyond = (beyond(first), beyond(second))
        hops = (connection.originator_hops, connection.responder_hops)
        self.hops = (hops[1], hops[0]) if client else hops
        self.now = connection.now
        self.resent = self.largest = self.resent_frames = NOTHING
        self.path_errors = NO_ERRORS
        delivery = connection.delivery
        if delivery is not None:
            server: cython.int = 1 - client
            self.resent = (delivery.resent[client], delivery.resent[server])
            self.largest = (delivery.largest[client], delivery.largest[server])
            self.resent_frames = (delivery.resent_frame[client], delivery.resent_frame[server])
            if len(delivery.path_errors) > 0:
                self.path_errors = _by_role(delivery.path_errors, client)

    def closed_by(self) -> cython.int:
        """Return the role that sent the first FIN or RST, NEITHER if nobody did."""
        closer: cython.int = NEITHER
        first: cython.longlong = 0
        role: cython.int
        frame: cython.longlong
        for role in range(2):
            frame = self.end_frame(role)
            if frame > 0 and (closer == NEITHER or frame < first):
                closer, first = role, frame
        return closer

    def end_frame(self, role: cython.int) -> cython.longlong:
        """Return the frame of the first FIN or RST of a role, 0 without one."""
        frame: cython.longlong = self.fins[role]
        reset: Reset | None = self.resets[role]
        if reset is not None and (frame == 0 or reset.frame < frame):
            return reset.frame
        return frame

    def may_be_first(self, role: cython.int) -> cython.bint:
        """Return whether a role may have ended the connection before all that the capture shows.

        Its end is not there, or the capture begins so late that nothing shows where the role's stream is.
        """
        return self.lacks_end(role) or (self.n_bytes[role] == 0 and not self.asked)

    def lacks_end(self, role: cython.int) -> cython.bint:
        """Return whether the last packets of a role are not in the capture."""
        return self.n_packets[role] == 0 or self.beyond[role] > 0


NOTHING = (0, 0)

NO_ERRORS: tuple[list[Any], list[Any]] = ([], [])


def _by_role(errors: list[Any], client: cython.int) -> tuple[list[Any], list[Any]]:
    return [one for one in errors if one.side == client], [one for one in errors if one.side != client]


def unanswered(endpoint: Endpoint) -> cython.longlong:
    """Return how many bytes of a side its peer did not acknowledge; -1 if the capture has no acknowledgement of it."""
    peer: Endpoint = endpoint.peer
    if not endpoint.started or peer.n_packets == 0 or endpoint.answered < 0:
        return -1
    return max(0, endpoint.reached() - endpoint.position(endpoint.answered))


def beyond(endpoint: Endpoint) -> cython.longlong:
    """Return how far the peer acknowledged more of a side than the capture has of it, its FIN included; 0 if it did not."""
    if not endpoint.started or endpoint.answered < 0:
        return 0
    end: cython.longlong = endpoint.reached() if endpoint.fin < 0 else endpoint.fin + 1
    return max(0, endpoint.position(endpoint.answered) - end)
