"""One session of a UDP flow: what those who give it its records know of it, without any secret."""

from __future__ import annotations

from typing import Any

from analyzer.engine.waiting_hellos import is_same
from analyzer.flows.flow import Flow
from analyzer.tls.dtls.dtls_session import DtlsSession
from analyzer.tls.dtls.hello_ids import HelloIds
from analyzer.tls.dtls.record_headers import UNIFIED
from analyzer.tls.record.record import Record

MAX_RANDOMS = 4
"""Randoms of the hellos of one session, of which all but one are somebody else's."""

_HANDSHAKE_EPOCH = 2
"""The epoch of handshake messages in DTLS 1.3, which is also the epoch bits of their records (RFC 9147 section 6.1)."""


class Association:
    """One session of a flow.

    client: the side of its first flow that is its client. n_flows: on how many flows it is. home: the flow that counts its
    memory, None after that has ended. randoms: of the client, each of them possibly not whole; server_random: the first bytes
    of the server's, empty before its ServerHello. ids: the connection IDs of its hellos. answered: whether a ServerHello came;
    changed: by role, whether a ChangeCipherSpec did; sealed: by role, whether a protected record did; continued: whether the
    client sent more than one message. ended: by role, whether it sent an alert behind its ChangeCipherSpec. last_frame,
    last_at: of its last record. session, sink: None in another process. visits: the flow on which it was a guest last, None
    before; homeless: whether the flow on which it began was idle and ended.
    """

    __slots__ = (
        "answered", "changed", "client", "continued", "ended", "flow", "home", "homeless", "ids", "last_at", "last_frame",
        "n_flows", "randoms", "record", "sealed", "server_random", "session", "sink", "visits",
    )  # fmt: skip

    def __init__(self, flow: Flow, client: int) -> None:
        self.flow = flow
        self.client = client
        self.n_flows = 1
        self.home: Any = None
        self.randoms: list[bytes] = []
        self.server_random = b""
        self.ids = HelloIds()
        self.answered = False
        self.changed = [False, False]
        self.continued = False
        self.sealed = [False, False]
        self.ended = [False, False]
        self.last_frame = flow.first_frame
        self.last_at = flow.start
        self.record = Record(0)
        self.session: DtlsSession | None = None
        self.sink: Any = None
        self.visits: Any = None
        self.homeless = False

    def may_doubt(self) -> bool:
        """Return whether another hello can be its client's as well: nobody has answered, and few others came."""
        return not self.answered and not self.continued and len(self.randoms) < MAX_RANDOMS

    def doubt(self, random: bytes) -> None:
        """Note the random of another hello, if `may_doubt`."""
        self.randoms.append(random)

    def knows(self, random: bytes) -> bool:
        """Return whether a client's random is of this session, and note it whole.

        A session that begins with its ServerHello has none: its ClientHello came late if the client has not gone on yet.
        """
        if not self.randoms and not (self.continued or self.changed[0] or self.sealed[0]):
            self.randoms.append(random)
            return True
        for place, known in enumerate(self.randoms):
            if is_same(known, random):
                self.randoms[place] = max(known, random, key=len)
                return True
        return False

    def protects(self, role: int, record: Record) -> bool:
        """Return whether a protected record can be of this session rather than of the one before on its ports."""
        if record.version == UNIFIED:
            return self.answered and record.epoch == _HANDSHAKE_EPOCH
        return self.answered and self.changed[role]

    def is_over(self) -> bool:
        """Return whether both sides are known to have ended the session."""
        return self.session is not None and self.session.has_ended()
