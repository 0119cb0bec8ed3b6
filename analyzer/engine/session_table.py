"""Begins and ends the sessions of a run, and collects the events of all decoders.

Several processes can read one capture: shards. Each of them follows all connections and finds all sessions, so numbers and
steps are the same in all of them; but it reads only the sessions that are its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.analysis.repetitions import Repetitions
from analyzer.engine.capture_events import WATCHES_REVOCATION, RevocationSeen
from analyzer.engine.dispatch_limits import MERGE_COST, MERGE_COST_DECRYPTED, SESSION_COST
from analyzer.engine.frame_facts import FrameFacts
from analyzer.engine.open_sessions import OpenSessions
from analyzer.flows.connection import Connection
from analyzer.flows.flow import Flow
from analyzer.flows.listener import Listener
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.events import Event, SessionBegan, SessionEnded
from analyzer.tls.handshake.resumption import Resumptions
from analyzer.tls.pending import PendingSessions
from analyzer.tls.record.record import RecordSink
from analyzer.tls.record_order import RecordOrders
from analyzer.tls.session import Session

if TYPE_CHECKING:
    import cython


class SessionTable(Listener):
    """The sessions of a run, and the events that were not taken yet.

    events: those that were not taken yet. material: the secrets that may decrypt records. resumptions: the resumable sessions.
    detailed: whether sessions emit all events as they happen, and not only that they ended. places: as in `SessionLog`.
    keeps_fields: as in `SessionHandshake`. watches: what else is watched, WATCHES_REVOCATION for OCSP responses and revocation
    lists in plain HTTP, plus WATCHES_HTTPS for connections to port 443 without TLS, plus WATCHES_FAILURES for connections that
    failed before TLS began. pending: the pending sessions, which wait
    for secrets; None before the first one. count: how many sessions there were. steps: how often readers of connections ran.
    shard, shards: the number of this process among those that share the capture, and how many there are. loads: by process,
    what it had to do, in bytes of sessions. announces: whether `SessionBegan` is emitted although nothing else is `detailed`.
    frames: what is known of frames beside their bytes. opened: numbers the sessions. repetitions: finds what sessions have in
    common; None if somebody else does. orders: puts records in order, or None.
    """

    __slots__ = (
        "announces", "count", "detailed", "events", "frames", "keeps_fields", "loads", "material", "opened",
        "orders", "pending", "places", "repetitions", "resumptions", "shard", "shards", "steps", "watches",
    )  # fmt: skip

    def __init__(
        self,
        material: KeyMaterial,
        detailed: cython.bint = False,
        places: cython.bint = True,
        keeps_fields: cython.bint = True,
        watches_revocation: cython.bint = False,
    ) -> None:
        self.held = 0
        self.events: list[Event] = []
        self.material = material
        self.resumptions = Resumptions()
        self.repetitions: Repetitions | None = Repetitions()
        self.detailed = detailed
        self.places = places
        self.keeps_fields = keeps_fields
        self.watches = WATCHES_REVOCATION if watches_revocation else 0
        self.announces = False
        self.pending: PendingSessions = None  # type: ignore[assignment]  # until a session has to wait
        self.count = 0
        self.opened = OpenSessions()
        self.steps = 0
        self.shard = 0
        self.shards = 1
        self.loads: list[int] = [0]
        self.frames = FrameFacts()
        self.orders: RecordOrders | None = RecordOrders()

    def share(self, shard: cython.int, shards: cython.int) -> None:
        """Read only a part of the sessions: this is process `shard` of `shards`, which all read the same capture."""
        self.shard = shard
        self.shards = shards
        self.loads = [0] * shards

    def assign(self) -> cython.int:
        """Return which process reads a new session: the one that had the least to do so far."""
        if self.shards == 1:
            return 0
        loads: list[int] = self.loads
        shard: cython.int = loads.index(min(loads))
        loads[shard] += SESSION_COST
        loads[0] += MERGE_COST_DECRYPTED if self.material.given else MERGE_COST
        return shard

    def begin(self, flow: Flow) -> Session:
        """Begin a new session, with the next number."""
        number: cython.longlong = self.opened.number(self.count)
        self.count += 1
        events: list[Event] | None = self.events if self.detailed else None
        places: cython.bint = self.places and flow.carrier is None  # else they would be places in a stream that no packet has
        session: Session = Session(number, flow, self.material, self.resumptions, events, self.keeps_fields, places)
        self.announce(session, events)
        return session

    def begin_over(self, kind: Any, flow: Flow) -> Any:
        """Begin a new session over another transport than TCP. kind: its class, which is made like `Session`."""
        number: cython.longlong = self.opened.number(self.count)
        self.count += 1
        events: list[Event] | None = self.events if self.detailed else None
        session: Session = kind(number, flow, self.material, self.resumptions, events, self.keeps_fields, self.places)
        self.announce(session, events)
        return session

    def announce(self, session: Session, events: list[Event] | None) -> None:
        """Emit that a session has begun, where somebody wants to know it."""
        flow: Flow = session.flow
        if events is not None:
            session.log.emit(SessionBegan(flow))
        elif self.announces:
            began = SessionBegan(flow)
            began.session, began.version = session.id, 0
            self.events.append(began)

    def queue(self, session: Session) -> RecordSink:
        """Return the sink for the records of a new session, which may wait for their secrets, or for earlier records."""
        sink: RecordSink = self.wait(session)
        return sink if self.orders is None else self.orders.begin(sink, session.flow.mid_stream)

    def wait(self, session: Session) -> RecordSink:
        """Return the sink for the records of a new session, which may wait for their secrets."""
        sink: RecordSink = session
        if self.material.may_grow is not None and self.material.may_grow():
            self.pending = self.pending or PendingSessions(self.material)
            sink = self.pending.begin(session)
        return sink

    def end(self, session: Session) -> None:
        """Emit that a session has ended."""
        self.frames.tell(session)
        if self.repetitions is not None:
            session.log.repeats = self.repetitions.take_session(session)
        ended: SessionEnded = SessionEnded(session, self.steps)
        ended.frame = session.flow.last_frame
        ended.at = session.flow.end
        ended.version = session.log.version
        self.events.append(ended)

    def take_revocation(self, content_type: str, body: bytes) -> None:
        """Emit an OCSP response or a revocation list that was in plain HTTP."""
        self.events.append(RevocationSeen(content_type, body))

    def end_without_tls(self, connection: Connection, preface: Any, lossy: cython.bint) -> None:
        """Emit that a connection in which TLS never began has failed, if it has. The first of several processes does that."""
        if self.shard == 0:
            from analyzer.engine.failed_connections import failed_connection

            failed = failed_connection(connection, preface, lossy, self.opened.servers)
            if failed is not None:
                self.events.append(failed)

    def tick(self, at: cython.longlong) -> None:
        """End the pending sessions that need not wait any longer, at time `at` of the capture."""
        if self.pending is not None:
            for session in self.pending.tick(at):
                self.end(session)

    def close(self) -> None:
        """End the sessions that are still pending."""
        if self.pending is not None:
            for session in self.pending.close():
                self.end(session)
