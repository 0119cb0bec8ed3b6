"""Finds DTLS in UDP flows, on any port, and gives each record to its session.

A session begins with a hello in plaintext, whose headers are compared strictly (`record_headers.begins_dtls`). After that, all
datagrams of the flow whose first byte is one of DTLS belong to it (RFC 7983 section 7). A ClientHello of another random begins
another session on the same ports if it is answered (`waiting_hellos.py`); until its client goes on behind the answer, protected
records are still those of the session before, which does not end earlier (RFC 6347 section 4.2.8). Before any answer, two
hellos at one time can be of one session, and one of them somebody else's. A connection ID that the hellos agree on names its
session on other ports too, at the same server (RFC 9146 section 6). It stays where it was as well, since anybody can send a
record with its ID.

So does an ID of a NewConnectionId (RFC 9147 section 9). But that is encrypted: only a process that reads
the session and has its keys knows it. There the session is a guest on the flow, which changes nothing that all processes must
see alike: whether a hello begins a session, the number of the next one, and when sessions end.
"""

from __future__ import annotations

from typing import Any, TypeVar

from analyzer.engine.connection_ids import KnownIds
from analyzer.engine.dispatch_limits import DTLS_MEMORY
from analyzer.engine.dtls_association import Association
from analyzer.engine.quic_moves import server_of
from analyzer.engine.session_table import SessionTable
from analyzer.engine.waiting_hellos import WaitingHello, WaitingHellos, answers, is_same, random_of
from analyzer.flows.flow import UDP, Flow
from analyzer.flows.udp_flow import UdpFlow
from analyzer.tls.dtls.dtls_session import DtlsSession
from analyzer.tls.dtls.record_headers import UNIFIED, begins_dtls, read_record
from analyzer.tls.messages.numbers import CLIENT_HELLO
from analyzer.tls.record.content_types import ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE
from analyzer.tls.record.record import Record

MAX_ASSOCIATIONS = 2
"""Sessions on one flow at a time: one, and another that a ClientHello on the same ports begins."""

DRAINING = 500_000_000
"""Nanoseconds that a session is followed behind the alerts with which both sides ended it."""

DOUBTING = 3_500_000_000
"""Nanoseconds that it is followed behind a fatal alert in plaintext, which anybody can have sent: until then, a side that did
not get it sends its messages again, twice (RFC 6347 section 4.2.4.1)."""

TOGETHER = 2_000_000_000
"""Nanoseconds in which two hellos that nobody has answered are those of one session. A client that begins another one has
waited for an answer before, one second and two more (RFC 6347 section 4.2.4.1)."""

LEFT = 5_000_000_000
"""Nanoseconds after which a client without an answer that sends nothing has left: it would have sent its hello again twice."""

SHORTEST_MOVING = 4
"""Bytes of the shortest ID of a hello that names its session on other ports: shorter ones stand in records by chance."""

_NO_ASSOCIATIONS: frozenset[Association] = frozenset()
_Owner = TypeVar("_Owner", bound=tuple[Any, ...])


class DtlsFlows:
    """The sessions of a run.

    by_id: flow, association and role that is reached, by the connection IDs of hellos; announced: association and role, by
    those of NewConnectionId. clock: the latest time of a datagram of DTLS, to see how long the capture went on. closing:
    associations that both sides ended, with the time, and their flows; failing: those with a fatal alert in plaintext.
    """

    __slots__ = ("announced", "by_id", "clock", "closing", "dispatcher", "failing")

    def __init__(self, dispatcher: SessionTable) -> None:
        self.dispatcher = dispatcher
        self.by_id: KnownIds[tuple[DtlsFlow, Association, int]] = KnownIds()
        self.announced: KnownIds[tuple[Association, int]] = KnownIds()
        self.clock = 0
        self.closing: dict[Association, tuple[int, DtlsFlow]] = {}
        self.failing: dict[Association, tuple[int, DtlsFlow]] = {}

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

    def end(self, association: Association, reason: str) -> None:
        """End a session. reason: see `Flow.closed`."""
        if self.keep(association):
            reason = "closed"
        self.forget(association)
        self.announced.forget(association.ids.announced(), association, association.flow.server_key())
        session, sink = association.session, association.sink
        if session is None:
            return
        association.session = association.sink = None
        frame, at = association.last_frame, association.last_at
        session.flow.closed = "fin" if reason == "closed" and session.has_ended() else reason
        session.transport.silence = max(self.clock - at, 0)
        for role in range(2):
            sink.end_role(role, frame, at)
        if sink.finish(frame, at):
            self.dispatcher.end(session)

    def forget(self, association: Association) -> None:
        """Forget the IDs of the hellos of a session."""
        self.by_id.forget(association.ids.known(), association, association.flow.server_key())

    def moved_in(self, flow: UdpFlow, data: bytes, start: int, end: int) -> tuple[DtlsFlow, Association, int] | None:
        """Return flow, session and receiver of a record by an ID of a hello that is known for a server on this flow."""
        return _find(self.by_id, flow, data, start, end)

    def announced_in(self, flow: UdpFlow, data: bytes, start: int, end: int) -> tuple[Association, int] | None:
        """Return session and receiver of a record by an ID of NewConnectionId that is known for a server on this flow."""
        return _find(self.announced, flow, data, start, end)

    def advance(self, at: int) -> None:
        """Take the time of a datagram of DTLS."""
        if self.closing or self.failing:
            self.end_closed(at)
        elif at > self.clock:
            self.clock = at

    def keep(self, association: Association) -> bool:
        """Follow a session further. Returns whether it was about to end."""
        closing = self.closing.pop(association, None)
        return self.failing.pop(association, None) is not None or closing is not None

    def end_closed(self, at: int) -> None:
        """End the sessions that both sides ended some time before `at`."""
        self.clock = max(self.clock, at)
        ending = []
        for closing, longest in ((self.closing, DRAINING), (self.failing, DOUBTING)):
            for association, (since, flow) in closing.items():
                if self.clock - since <= longest:
                    break  # the others were closed later
                ending.append((association, flow))
        for association, flow in sorted(ending, key=_number):  # as `Shards` puts those that end at once
            flow.note_copies(association)
            self.end(association, "closed")
            flow.update_held()


def _find(known: KnownIds[_Owner], flow: UdpFlow, data: bytes, start: int, end: int) -> _Owner | None:
    if not known:
        return None
    for key in (flow.originator.key, flow.responder.key):
        found = known.find(data, start, end, server_of(key))
        if found is not None:
            return found
    return None


def _number(one: tuple[Association, DtlsFlow]) -> int:
    session = one[0].session
    return -1 if session is None else session.id


class DtlsFlow:
    """The sessions of one UDP flow, the latest first. kept: bytes of memory that they need.

    shared: whether all processes know that this flow has DTLS. guest: a session that has moved here by an ID of
    NewConnectionId, and guest_client: which side of the flow is its client. waiting: hellos that begin no session yet.
    turned: sessions of which another side is the client than on their first flow.
    """

    __slots__ = ("associations", "flow", "flows", "guest", "guest_client", "kept", "shared", "turned", "waiting")

    def __init__(self, flow: UdpFlow, flows: DtlsFlows) -> None:
        self.flow = flow
        self.flows = flows
        self.associations: list[Association] = []
        self.kept = 0
        self.shared = False
        self.turned = _NO_ASSOCIATIONS
        self.guest: Association | None = None
        self.guest_client = 0
        self.waiting = WaitingHellos()

    def feed(self, side: int, data: bytes, start: int, end: int, missing: int, frame: int, at: int) -> None:
        """Take a datagram whose first byte is one of DTLS."""
        if self.shared:
            self.flows.advance(at)
        if not self.associations:
            self.take_over(side, data, start, end)
        if not self.associations:
            self.welcome(side, data, start, end)
        pos, plain = start, self.shared
        while pos < end:
            record, pos = self.read(side, data, pos, end, missing)
            if pos < 0:
                break
            record.frame, record.at = frame, at
            plain = plain and record.version != UNIFIED  # no hello follows those, whose length can be in doubt
            self.pass_on(side, record, plain and begins_dtls(record.body, 0, len(record.body)))
        self.update_held()

    def take_over(self, side: int, data: bytes, start: int, end: int) -> None:
        """Take over a session that has moved to this flow, known by the connection ID in a record (RFC 9146 section 6).

        It stays on the flow before: the record can be somebody else's.
        """
        found = self.flows.moved_in(self.flow, data, start, end)
        if found is None:
            return
        before, association, receiver = found
        association.n_flows += 1
        association.home = self
        before.update_held()
        if association.client != (side if receiver else 1 - side):
            self.turned |= {association}
        self.associations.insert(0, association)
        server = association.flow.server_key()
        for role, known in enumerate(association.ids.asked):
            if known is not None and self.flows.by_id.has(known, server):
                self.flows.by_id.add(known, (self, association, role), server)

    def welcome(self, side: int, data: bytes, start: int, end: int) -> None:
        """Let a session be a guest on this flow, known by an ID of NewConnectionId in a record (RFC 9147 section 9)."""
        found = self.flows.announced_in(self.flow, data, start, end)
        if found is not None:
            if found[0] is not self.guest:
                self.end_guest("idle")
            self.guest, receiver = found
            self.guest_client = side if receiver else 1 - side
            self.guest.visits = self

    def end_guest(self, reason: str) -> None:
        """End the session that is a guest here, if it has no other flow."""
        if self.guest is not None and self.guest.homeless and self.guest.visits is self:
            self.flows.end(self.guest, reason)

    def read(self, side: int, data: bytes, pos: int, end: int, missing: int) -> tuple[Record, int]:
        """Read the record at `pos`; return it, and the position behind it, -1 if there is none."""
        latest = self.associations[0] if self.associations else self.guest
        for association in self.associations[1:]:
            if association.ids.is_named(1 - self.role_of(association, side), data, pos, end):
                latest = association
        if latest is None:
            record = Record(0)
            return record, read_record(record, data, pos, end, -1, missing)
        receiver = 1 - self.role_of(latest, side)
        n_id = latest.ids.length_in(receiver, data, pos, end)
        return latest.record, read_record(latest.record, data, pos, end, n_id, missing)

    def role_of(self, association: Association, side: int) -> int:
        """Return the role that a side of this flow has in a session."""
        return side ^ (self.guest_client if association not in self.associations else self.client_of(association))

    def client_of(self, association: Association) -> int:
        """Return which side of this flow is the client of one of its sessions."""
        return 1 - association.client if association in self.turned else association.client

    def pass_on(self, side: int, record: Record, hello: bool) -> None:
        """Give a record to its session, which begins with it if it is a hello of another one."""
        if hello:
            content = record.body[record.header :]
            client = side if content[0] == CLIENT_HELLO else 1 - side
            if self.waits(side, client, content, record):
                return
            if not self.associations:
                self.begin(client, random_of(content) if content[0] == CLIENT_HELLO else b"", record)
            if any(self.client_of(association) == client for association in self.associations):
                owner = next((one for one in self.associations if self.has_hello(one, client, content)), None)
                if owner is not None:
                    self.give(owner, side, record)
                return
        association = self.association_of(side, record)
        if association is not None:
            self.give(association, side, record)

    def give(self, association: Association, side: int, record: Record) -> None:
        """Give a record of a side to its session."""
        role = record.role = self.role_of(association, side)
        association.last_frame, association.last_at = record.frame, record.at
        plain = record.epoch == 0 and record.version != UNIFIED
        if plain and record.content_type == HANDSHAKE:
            self.look(association, role, record)
        elif plain and record.content_type == CHANGE_CIPHER_SPEC:
            association.changed[role] = True
        elif not plain:
            association.sealed[role] = True
        if record.content_type == ALERT:
            if not plain or (record.body[record.header :][:1] == b"\2" and not association.sealed[role]):
                self.note_end(association, role, not plain)
        elif (association in self.flows.closing or association in self.flows.failing) and not association.is_over():
            association.ended = [False, False]
            self.flows.keep(association)  # these alerts were somebody else's
        session = association.session
        if association.sink is not None and session is not None:
            association.sink.take(record)
            if session.transport.announced:
                self.note_announced(association, session)
            if association.is_over():
                self.flows.closing.setdefault(association, (self.flows.clock, self))
        if role == 0 and len(self.associations) > 1 and association is self.associations[0]:
            self.settle(association, record)

    def settle(self, latest: Association, record: Record) -> None:
        """End the sessions before the latest one, if its client goes on behind the answer with this record."""
        content = record.body[record.header :]
        goes_on = record.epoch > 0 or record.version == UNIFIED or record.content_type == CHANGE_CIPHER_SPEC
        goes_on = goes_on or (record.content_type == HANDSHAKE and content[:1] > bytes((CLIENT_HELLO,)))
        if latest.answered and goes_on:
            for older in self.associations[1:]:
                self.leave(older, "closed")
            del self.associations[1:]

    def note_announced(self, association: Association, session: DtlsSession) -> None:
        """Note the IDs of a NewConnectionId, which the session has read."""
        for receiver, known in session.transport.announced:
            if association.ids.announce(receiver, known):
                self.flows.announced.add(known, (association, receiver), association.flow.server_key())
        session.transport.announced.clear()

    def association_of(self, side: int, record: Record) -> Association | None:
        """Return the session of a record that has no hello: of a protected one, the latest whose client went on."""
        if record.epoch > 0 or record.version == UNIFIED:
            for association in self.associations:
                alone = association is self.associations[-1]
                if association.answered and (alone or association.protects(self.role_of(association, side), record)):
                    return association
            if self.guest is not None and self.guest.session is not None:
                return self.guest if record.version == UNIFIED else None
        return self.associations[0] if self.associations else None

    def waits(self, side: int, client: int, content: bytes, record: Record) -> bool:
        """Return whether a hello waits, or is an answer to one that does: it is not of a session that is there.

        client: the side of the client. content: of the record. With what shows that a hello is answered, its session begins.
        """
        mine = [association for association in self.associations if self.client_of(association) == client]
        if content[0] == CLIENT_HELLO:
            random = random_of(content)
            if not self.associations or any(one.knows(random) for one in mine if random):
                return False
            if not random:
                return self.waiting.continues(side, content, record)
            latest = mine[0] if mine else None
            if latest is not None and latest.may_doubt() and record.at - latest.flow.start <= TOGETHER:
                latest.doubt(random)
                return False
            hello = self.waiting.take(side, content, record)
            if hello is not None:
                self.begin_waiting(hello)
            return True
        if not self.waiting.hellos or content[6:9] != b"\0\0\0":
            return False
        random = random_of(content)
        waits = bool(mine) and not mine[0].answered and record.at - mine[0].last_at <= LEFT
        doubted = waits and mine[0].may_doubt()
        if not answers(content) and not doubted:
            self.waiting.ask(side, record)
            return bool(mine) and not waits
        if any(one.server_random and is_same(one.server_random, random) for one in mine) or (waits and not doubted):
            return False
        hello = self.waiting.latest(side)
        if hello is not None:
            self.doubt(mine[0], hello) if doubted else self.begin_waiting(hello)
        return False

    def doubt(self, association: Association, hello: WaitingHello) -> None:
        """Give a hello that has waited to a session without an answer: nothing shows which of the two is answered now."""
        association.doubt(hello.random)
        for record in hello.records:
            self.give(association, hello.sender(record), record)

    def has_hello(self, association: Association, client: int, content: bytes) -> bool:
        """Return whether a hello is of a session; client: the side of its client."""
        random = random_of(content) if content[0] == CLIENT_HELLO else b""
        return self.client_of(association) == client and (not random or association.knows(random))

    def begin(self, client: int, random: bytes, record: Record) -> Association:
        """Begin a session with a hello; client: the side of its client."""
        association = self.flows.begin(self.flow, client, record.frame, record.at)
        if random:
            association.randoms.append(random)
        self.associations.insert(0, association)
        if len(self.associations) > MAX_ASSOCIATIONS:
            self.leave(self.associations.pop(1), "closed")  # its client did not go on
        return association

    def begin_waiting(self, hello: WaitingHello) -> None:
        """Begin the session of a hello that has waited."""
        association = self.begin(hello.client, hello.random, hello.records[0])
        for record in hello.records:
            self.give(association, hello.sender(record), record)

    def look(self, association: Association, role: int, record: Record) -> None:
        """Look for what a hello shows to those who read records: connection IDs, and that the server answers."""
        body = record.body[record.header :]
        if role == 1 and answers(body):
            association.answered = True
            association.server_random = association.server_random or random_of(body)
        elif role == 0 and any(body[4:6]):
            association.continued = True
        if association.ids.take(role, body):
            for receiver, known in enumerate(association.ids.asked):
                if known and len(known) >= SHORTEST_MOVING:
                    self.flows.by_id.add(known, (self, association, receiver), association.flow.server_key())

    def note_end(self, association: Association, role: int, sealed: bool) -> None:
        """Note an alert that ends a side of a session: behind the handshake they are sent for nothing else."""
        if not sealed:
            self.flows.failing.setdefault(association, (self.flows.clock, self))
        elif association.session is None or not association.session.opening.proven:
            association.ended[role] = True
            if all(association.ended):
                self.flows.closing.setdefault(association, (self.flows.clock, self))

    def update_held(self) -> None:
        """Update the memory that the sessions of this flow take, here and in the dispatcher."""
        kept = self.waiting.held
        for one in self.associations:
            one.home = one.home or self
            if one.home is self:
                kept += one.ids.held + (0 if one.sink is None else one.sink.kept + DTLS_MEMORY)
        self.flows.dispatcher.held += kept - self.kept
        self.kept = kept

    def close(self, reason: str) -> None:
        """End the flow."""
        for hello in self.waiting.unanswered():
            self.begin_waiting(hello)
        associations, self.associations = self.associations, []
        self.update_held()
        for association in reversed(associations):
            goes_on = association.visits is not None and association.last_at > self.flow.end
            if reason == "idle" and association.n_flows == 1 and goes_on:
                association.homeless = True
                self.flows.forget(association)  # as in other processes
            else:
                self.leave(association, reason)
        self.end_guest(reason)

    def leave(self, association: Association, reason: str) -> None:
        """Take a session off this flow. It ends if it is on no other."""
        self.note_copies(association)
        association.n_flows -= 1
        if association.home is self:
            association.home = None
        if association.n_flows <= 0:
            self.flows.end(association, reason)

    def note_copies(self, association: Association) -> None:
        """Tell a session that ends how many of the flow's packets the capture has twice."""
        if association.session is not None:
            association.session.flow.copies += self.flow.copies
