"""Finds DTLS in UDP flows, on any port, and gives each record to its session.

A session begins with a hello in plaintext, whose headers are compared strictly (`record_headers.begins_dtls`). After that, all
datagrams of the flow whose first byte is one of DTLS belong to it (RFC 7983 section 7). A ClientHello of another random begins
another session on the same ports; until a server answers it, protected records are still those of the session before (RFC 6347
section 4.2.8). A connection ID that the hellos agree on names its session on other ports too (RFC 9146 section 6).
"""

from __future__ import annotations

from typing import Any

from analyzer.engine.session_table import SessionTable
from analyzer.flows.flow import UDP, Flow
from analyzer.flows.udp_flow import UdpFlow
from analyzer.tls.dtls.dtls_session import DtlsSession
from analyzer.tls.dtls.hello_ids import HelloIds
from analyzer.tls.dtls.record_headers import FRAGMENT_HEADER, TLS12_CID, UNIFIED, begins_dtls, read_record
from analyzer.tls.messages.numbers import CLIENT_HELLO, RANDOM, SERVER_HELLO
from analyzer.tls.record.content_types import ALERT, HANDSHAKE
from analyzer.tls.record.record import Record

MAX_ASSOCIATIONS = 2
"""Sessions on one flow at a time: one, and another that a ClientHello on the same ports begins."""

MAX_IDS = 1 << 16
"""Connection IDs of a run that are known on other flows than their own."""

LONGEST_ID = 32
"""Bytes of the longest connection ID that is looked up; they can have 255, and have eight or so."""

DRAINING = 500_000_000
"""Nanoseconds that a session is followed behind the alerts with which both sides ended it."""

_ID_IN_RECORD = 11
"""Where the connection ID begins in a record of the content type tls12_cid."""

_UNIFIED_WITH_ID = 0x30
"""The bits of a unified header that a connection ID follows."""

_RANDOM_IN_FRAGMENT = RANDOM.start - 4
"""Where the random begins in the body of a hello."""


class Association:
    """One session of a flow.

    client: the side of the flow that is its client. random: the first bytes of the client's random, empty before they came.
    ids: the connection IDs of its hellos. answered: whether a ServerHello came. ended: by role, whether it sent an alert behind
    its ChangeCipherSpec. last_frame, last_at: of its last record. session, sink: None in another process.
    """

    __slots__ = (
        "answered", "client", "ended", "flow", "ids", "last_at", "last_frame", "random", "record", "session", "sink",
    )  # fmt: skip

    def __init__(self, flow: Flow, client: int) -> None:
        self.flow = flow
        self.client = client
        self.random = b""
        self.ids = HelloIds()
        self.answered = False
        self.ended = [False, False]
        self.last_frame = flow.first_frame
        self.last_at = flow.start
        self.record = Record(0)
        self.session: DtlsSession | None = None
        self.sink: Any = None


class DtlsFlows:
    """The sessions of a run.

    by_id: flow, association and role that is reached, by connection ID. clock: the latest time of a datagram of DTLS, to see
    how long the capture went on. closing: associations that both sides ended, with the time, and their flows.
    """

    __slots__ = ("by_id", "clock", "closing", "dispatcher")

    def __init__(self, dispatcher: SessionTable) -> None:
        self.dispatcher = dispatcher
        self.by_id: dict[bytes, tuple[DtlsFlow, Association, int]] = {}
        self.clock = 0
        self.closing: dict[Association, tuple[int, DtlsFlow]] = {}

    def begin(self, flow: UdpFlow, client: int, frame: int, at: int) -> Association:
        """Begin a session whose client is that side of the flow."""
        dispatcher = self.dispatcher
        session_flow = Flow(UDP, flow.responder.key if client else flow.originator.key, frame, at)
        found = Association(session_flow, client)
        if dispatcher.assign() != dispatcher.shard:
            dispatcher.count += 1
            return found
        found.session = dispatcher.begin_over(DtlsSession, session_flow)
        found.sink = dispatcher.wait(found.session)
        return found

    def known(self, data: bytes, start: int, end: int) -> tuple[DtlsFlow, Association, int] | None:
        """Return the flow, the session and the receiver of a record, by the connection ID in it; None if there is none."""
        first = data[start]
        if not self.by_id or (first != TLS12_CID and first & _UNIFIED_WITH_ID != _UNIFIED_WITH_ID):
            return None
        at = start + (_ID_IN_RECORD if first == TLS12_CID else 1)
        for length in range(min(LONGEST_ID, end - at), 0, -1):
            found = self.by_id.get(data[at : at + length])
            if found is not None:
                return found
        return None

    def end(self, association: Association, reason: str) -> None:
        """End a session. reason: see `Flow.closed`."""
        if self.closing.pop(association, None) is not None:
            reason = "closed"
        for known in association.ids.known():
            self.by_id.pop(known, None)
        session, sink = association.session, association.sink
        if session is None:
            return
        association.session = association.sink = None
        frame, at = association.last_frame, association.last_at
        session.flow.closed = "fin" if reason == "closed" and session.has_ended() else reason
        session.transport.silence = self.clock - at
        for role in range(2):
            sink.end_role(role, frame, at)
        if sink.finish(frame, at):
            self.dispatcher.end(session)

    def end_closed(self, at: int) -> None:
        """End the sessions that both sides ended some time before `at`."""
        self.clock = max(self.clock, at)
        ending = []
        for association, (since, flow) in self.closing.items():
            if self.clock - since <= DRAINING:
                break  # the others were closed later
            ending.append((association, flow))
        for association, flow in sorted(ending, key=_number):  # as `Shards` puts those that end at once
            flow.note_copies(association)
            self.end(association, "closed")
            flow.update_held()


def _number(one: tuple[Association, DtlsFlow]) -> int:
    session = one[0].session
    return -1 if session is None else session.id


class DtlsFlow:
    """The sessions of one UDP flow, the latest first. kept: bytes of memory that they need."""

    __slots__ = ("associations", "flow", "flows", "kept")

    def __init__(self, flow: UdpFlow, flows: DtlsFlows) -> None:
        self.flow = flow
        self.flows = flows
        self.associations: list[Association] = []
        self.kept = 0

    def feed(self, side: int, data: bytes, start: int, end: int, missing: int, frame: int, at: int) -> None:
        """Take a datagram whose first byte is one of DTLS."""
        if self.flows.closing:
            self.flows.end_closed(at)
        elif at > self.flows.clock:
            self.flows.clock = at
        if not self.associations:
            self.take_over(side, data, start, end)
        pos = start
        while pos < end:
            record, pos = self.read(side, data, pos, end, missing)
            if pos < 0:
                break
            record.frame, record.at = frame, at
            self.pass_on(side, record, begins_dtls(record.body, 0, len(record.body)))
        self.update_held()

    def take_over(self, side: int, data: bytes, start: int, end: int) -> None:
        """Take over a session that has moved to this flow, known by the connection ID in a record (RFC 9146 section 6)."""
        found = self.flows.known(data, start, end)
        if found is None:
            return
        before, association, receiver = found
        if association in before.associations:
            before.associations.remove(association)
            before.update_held()
        association.client = side if receiver else 1 - side
        self.associations.insert(0, association)
        for role, known in enumerate(association.ids.asked):
            if known in self.flows.by_id:
                self.flows.by_id[known] = self, association, role

    def read(self, side: int, data: bytes, pos: int, end: int, missing: int) -> tuple[Record, int]:
        """Read the record at `pos`; return it, and the position behind it, -1 if there is none."""
        latest = self.associations[0] if self.associations else None
        record = Record(0) if latest is None else latest.record
        id_length = -1 if latest is None else latest.ids.length(1 - (side ^ latest.client))
        return record, read_record(record, data, pos, end, id_length, missing)

    def pass_on(self, side: int, record: Record, hello: bool) -> None:
        """Give a record to its session, which begins with it if it is a hello of another one."""
        association = self.begin(side, record) if hello else None
        if association is None:
            association = self.association_of(record)
        if association is None:
            return
        role = record.role = side ^ association.client
        association.last_frame, association.last_at = record.frame, record.at
        if record.content_type == HANDSHAKE and record.epoch == 0 and record.version != UNIFIED:
            self.look(association, role, record)
        elif record.content_type == ALERT and (record.epoch > 0 or (record.body[record.header :][:1] == b"\2")):
            self.note_end(association, role, record.epoch > 0)
        if association.sink is not None:
            association.sink.take(record)
            if association.session is not None and association.session.has_ended():
                self.flows.closing.setdefault(association, (self.flows.clock, self))

    def association_of(self, record: Record) -> Association | None:
        """Return the session of a record that begins none: of a protected one, the latest that a server answered."""
        if record.epoch > 0 or record.version == UNIFIED:
            for association in self.associations:
                if association.answered:
                    return association
        return self.associations[0] if self.associations else None

    def begin(self, side: int, record: Record) -> Association | None:
        """Begin a session with a hello, if it is not one of a session that is there. Returns its session."""
        body = record.body[record.header :]
        number, data = body[0], body[FRAGMENT_HEADER:]
        first = body[6:9] == b"\0\0\0"
        random = data[_RANDOM_IN_FRAGMENT : _RANDOM_IN_FRAGMENT + 32] if first and number == CLIENT_HELLO else b""
        client = side if number == CLIENT_HELLO else 1 - side
        for association in self.associations:
            if client == association.client:
                if not random or number != CLIENT_HELLO:
                    return association
                common = min(len(random), len(association.random))
                if random[:common] == association.random[:common]:
                    association.random = max(association.random, random, key=len)
                    return association
        if self.associations and number != CLIENT_HELLO:
            return None
        association = self.flows.begin(self.flow, client, record.frame, record.at)
        association.random = random
        association.record = record
        self.associations.insert(0, association)
        if len(self.associations) > MAX_ASSOCIATIONS:
            self.flows.end(self.associations.pop(), "closed")
        return association

    def look(self, association: Association, role: int, record: Record) -> None:
        """Look for what a hello shows to those who read records: connection IDs, and that the server answers."""
        body = record.body[record.header :]
        if role == 1 and body[:1] == SERVER_HELLO.to_bytes(1, "big"):
            association.answered = True
            for older in self.associations[1:]:
                if association is self.associations[0]:
                    self.flows.end(older, "closed")
            if association is self.associations[0]:
                del self.associations[1:]
        if association.ids.take(role, body):
            for receiver, known in enumerate(association.ids.asked):
                if known and len(self.flows.by_id) < MAX_IDS:
                    self.flows.by_id[known] = self, association, receiver

    def note_end(self, association: Association, role: int, sealed: bool) -> None:
        """Note an alert that ends a side of a session: behind the handshake they are sent for nothing else."""
        association.ended[role] = True
        if not sealed or all(association.ended):
            self.flows.closing.setdefault(association, (self.flows.clock, self))

    def update_held(self) -> None:
        """Update the memory that the sessions of this flow take, here and in the dispatcher."""
        kept = sum(one.ids.held + (0 if one.sink is None else one.sink.kept) for one in self.associations)
        self.flows.dispatcher.held += kept - self.kept
        self.kept = kept

    def close(self, reason: str) -> None:
        """End the flow."""
        associations, self.associations = self.associations, []
        self.update_held()
        for association in reversed(associations):
            self.note_copies(association)
            self.flows.end(association, reason)

    def note_copies(self, association: Association) -> None:
        """Tell a session that ends how many of the flow's packets the capture has twice."""
        if association.session is not None:
            association.session.flow.copies = self.flow.copies
