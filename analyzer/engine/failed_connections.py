"""Finds connections that failed before TLS began: refused, without an answer, empty, or in another protocol.

They are no sessions, so they have an event of their own when they end. It is emitted only on request, because a port scan has
thousands of them.
"""

from typing import Any

from analyzer.analysis.before_tls import before_tls
from analyzer.analysis.connection_outcome import Talk, connection_outcome
from analyzer.engine.capture_events import NO_SESSION
from analyzer.engine.preface import Preface
from analyzer.engine.tls_servers import TlsServers
from analyzer.flows.connection import Connection
from analyzer.flows.ending import Ending
from analyzer.flows.flow import TCP, Flow
from analyzer.tls.events import NO_ROLE, Event


class ConnectionFailed(Event):
    """A TCP connection in which TLS never began, and that failed. It is emitted when it ends.

    key: addresses and ports, as in a packet from its client. first_frame, last_frame: of its packets; `frame` is the last one.
    outcome, before: as in the session record.
    """

    __slots__ = ("before", "first_frame", "key", "last_frame", "outcome")

    def __init__(self, flow: Flow, outcome: dict[str, Any], before: list[dict[str, Any]]) -> None:
        self.before = before
        self.key = flow.key
        self.first_frame = flow.first_frame
        self.last_frame = flow.last_frame
        self.outcome = outcome
        self.session = NO_SESSION
        self.role = NO_ROLE
        self.frame = flow.last_frame
        self.at = flow.end
        self.version = 0


def failed_connection(connection: Connection, preface: Preface | None, lossy: bool, servers: TlsServers) -> Any:
    """Return the event for a connection without TLS that has ended; None if it is no failure.

    preface: what it carried, None if nothing. lossy: whether bytes of it are missing. servers: those of the run.
    """
    if not connection.syn or connection.originator_hops < 0:
        return None
    flow = Flow(TCP, connection.originator.key, connection.first_frame, connection.start)
    flow.last_frame, flow.end, flow.closed = connection.last_frame, connection.end, connection.closed
    delivery = connection.delivery
    if delivery is not None:
        flow.unacknowledged = delivery.unacknowledged[0], delivery.unacknowledged[1]
    whole = not lossy and (preface is None or not preface.cut)
    pieces, frames = ([], []) if preface is None else (preface.pieces, preface.frames)
    found = connection_outcome(flow, Ending(connection, 0), Talk(pieces, frames, whole, servers.expect_tls(flow)))
    return None if found is None else ConnectionFailed(flow, found.record(), before_tls(pieces))
