"""One session over DTLS: records of datagrams, whose order and number nobody guarantees (RFC 9147, RFC 6347, RFC 4347).

Every record says its epoch, so it is known without a ChangeCipherSpec whether it is encrypted: epoch 0 is plaintext. Handshake
messages come in fragments (`handshake_flights.py`) and reach the code of TLS whole, in order, and with its header. Up to DTLS
1.2 what both sides hash has the header of DTLS (`Transcript.hashed`). Encrypted records of a role wait while messages before
them are missing; what is still missing then, the capture lacks.

A datagram that is missing shows nothing: it can be lost on the path, behind the place of the capture, or in the capture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.flows.flow import Flow
from analyzer.secrets.decryption_error import DecryptionError
from analyzer.tls.decryption.decryption import Decryption
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.dtls.dtls_events import PartSeen
from analyzer.tls.dtls.dtls_facts import DtlsFacts
from analyzer.tls.dtls.handshake_flights import FlightReader
from analyzer.tls.dtls.opened_record import RecordOpened
from analyzer.tls.dtls.record_headers import ACK, FRAGMENT_HEADER, TLS12_CID, UNIFIED, copy_content, is_early
from analyzer.tls.dtls.record_opening import RecordOpening
from analyzer.tls.establishment import is_completed
from analyzer.tls.events import Alert, Event, KeysChanged
from analyzer.tls.handshake.parameters import Parameters
from analyzer.tls.handshake.resumption import Resumptions
from analyzer.tls.handshake.states import CHANGE, RoleState, State
from analyzer.tls.limits import PENDING_COST
from analyzer.tls.messages.numbers import FINISHED, NEW_CONNECTION_ID, REQUEST_CONNECTION_ID
from analyzer.tls.record.content_types import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, HEARTBEAT
from analyzer.tls.record.record import BODY, Record
from analyzer.tls.record_check import take_heartbeat
from analyzer.tls.session import Session
from analyzer.tls.session_log import FATAL

if TYPE_CHECKING:
    import cython

MAX_HELD = 64
"""Records of a session that wait for handshake messages before them."""

GIVE_UP = 5_000_000_000
"""Nanoseconds after which a message is not waited for: it was sent again twice by then (RFC 6347 section 4.2.4.1)."""

SHORTEST_FINISHED = 53
"""Bytes of the shortest protected record with a Finished in DTLS 1.3: 12 of header, 32, content type, and a tag of 8. An alert
is shorter, and an ACK of one or two records."""

# In the compiled build these are C variables, which other modules cannot see.
_CLIENT, _SERVER, _CHANGE, _CHANGED, _CONNECTED = 0, 1, CHANGE, int(State.CHANGED), int(State.CONNECTED)
_UNIFIED, _CID, _ACK = UNIFIED, TLS12_CID, ACK


class DtlsSession(Session):
    """One session over DTLS.

    flights: by role, its handshake messages. held: records that wait for the messages of their role. opening: the keys. plain:
    a record whose body is the content of the one that is read now.
    """

    __slots__ = ("flights", "held", "opening", "plain")

    def __init__(
        self,
        number: cython.longlong,
        flow: Flow,
        material: KeyMaterial,
        resumptions: Resumptions,
        events: list[Event] | None = None,
        keeps_fields: cython.bint = True,
        places: cython.bint = True,
    ) -> None:
        """See `Session`."""
        Session.__init__(self, number, flow, material, resumptions, events, keeps_fields, places)
        self.handshake.transcript.dtls = True
        self.transport = DtlsFacts()
        self.flights = (FlightReader(), FlightReader())
        self.held: list[Record] = []
        self.opening = RecordOpening()
        self.plain = Record(0)

    def wants(self, role: cython.int, content_type: cython.int) -> cython.int:
        """See `RecordSink.wants`."""
        return BODY

    def take(self, record: Record) -> None:
        """Take a record with its header."""
        if record.content_type < 0:
            self.take_notice(record)
            return
        for role in (_CLIENT, _SERVER):
            since: cython.longlong = self.flights[role].since
            if since >= 0 and record.at - since > GIVE_UP:
                self.skip(role, record.frame, record.at)
        if record.role == _SERVER:
            self.transport.answered = True
        if record.epoch == 0 and record.version != _UNIFIED:
            self.take_plaintext(record)
        elif self.must_wait(record) and len(self.held) < MAX_HELD:
            self.held.append(record.copy())
            self.log.emit(PartSeen("Encrypted Record", record.role, record.frame, record.at))
        else:
            self.take_sealed(record)
        self.kept = self.handshake.kept + self.flights[0].held + self.flights[1].held
        self.kept += sum([len(one.body) + PENDING_COST for one in self.held])

    def must_wait(self, record: Record) -> cython.bint:
        """Return whether an encrypted record needs messages that have not come yet.

        Up to DTLS 1.2 these are the messages of its role before its epoch; in DTLS 1.3 it is the ServerHello, and for early
        data the ClientHello.
        """
        hellos: Any = self.handshake.hellos
        if record.version == _UNIFIED:
            return not hellos.server_seen and not (is_early(record) and hellos.client_seen)
        flight: Any = self.flights[record.role]
        return record.epoch > flight.epoch and len(flight.waiting) > 0

    def content(self, record: Record) -> Record:
        """Return a record like this one whose body has no header. It is used again for the next one."""
        copy_content(self.plain, record)
        return self.plain

    def take_plaintext(self, record: Record) -> None:
        """Take a record of epoch 0."""
        sender: RoleState = self.roles[record.role]
        if self.is_repeated(record, 0, record.offset):
            return
        plain: Record = self.content(record)
        if record.content_type == HANDSHAKE:
            # Behind data the handshake is over, and anybody can have sent it. Early data comes before the server has answered.
            if sender.n_application == 0 or not self.handshake.hellos.server_seen:
                self.take_fragments(record.role, plain.body, 0, record.frame, record.at)
        elif record.content_type == CHANGE_CIPHER_SPEC:
            if len(self.flights[record.role].waiting) > 0 and len(self.held) < MAX_HELD:
                self.held.append(record.copy())
            else:
                self.take_change(sender, plain)
        elif record.content_type == _ACK:
            self.take_ack(record)
        elif record.content_type == ALERT and sender.change_frame == 0 and not sender.seals:
            # One that comes later is no longer the role's: receivers discard it (RFC 9147 section 4.2.1).
            self.take_alert(sender, plain, plain.body, plain.length, False)

    def is_repeated(self, record: Record, epoch: cython.int, number: cython.longlong) -> cython.bint:
        """Return whether a record came before: on the path, or in the capture. It counts once."""
        if not self.transport.repeats(record.role, epoch, number):
            return False
        self.log.emit(PartSeen("Record (Retransmission)", record.role, record.frame, record.at))
        return True

    def take_ack(self, record: Record) -> None:
        """Take an ACK, which says what to send again and nothing about the session (RFC 9147 section 7)."""
        self.transport.acks += 1
        self.log.emit(PartSeen("Ack", record.role, record.frame, record.at))

    def take_change(self, sender: RoleState, plain: Record) -> None:
        """Take a ChangeCipherSpec. It has no number, so messages before it can be missing unseen."""
        if sender.change_frame > 0 and not self.handshake.parameters.tls13:
            return  # it was sent again
        sender.sent.lose()
        before: str = self.handshake.parameters.resumption
        self.change_keys(sender, plain)
        if not self.transport.is_whole():
            self.handshake.parameters.resumption = before

    def infer_change(self, sender: RoleState, record: Record) -> None:
        """Take an encrypted record of a role whose ChangeCipherSpec did not come, or comes later."""
        handshake = self.handshake
        sender.lose()
        sender.change_frame = record.frame
        if record.role != _CLIENT:
            handshake.detect_resumption()
        handshake.advance(sender, _CHANGE, record.frame, record.at)
        if handshake.opens():
            handshake.decryption.active = handshake.decryption.change(record.role)
            handshake.share_master_secret()

    # Handshake messages.

    def take_fragments(
        self, role: cython.int, body: bytes, epoch: cython.int, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Take the content of a handshake record: fragments of one message or more. epoch: of the record."""
        pos: cython.Py_ssize_t = 0
        end: cython.Py_ssize_t = len(body)
        while end - pos >= FRAGMENT_HEADER:
            length: cython.longlong = int.from_bytes(body[pos + 9 : pos + 12], "big")
            stop: cython.Py_ssize_t = min(pos + FRAGMENT_HEADER + length, end)
            self.take_fragment(role, body[pos : pos + FRAGMENT_HEADER], body[pos + FRAGMENT_HEADER : stop], epoch, frame, at)
            pos += FRAGMENT_HEADER + length
        self.release(False)

    def take_fragment(
        self, role: cython.int, header: bytes, data: bytes, epoch: cython.int, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Take a fragment, and the messages that it completes."""
        flight: Any = self.flights[role]
        if not self.handshake.parameters.tls13:
            # A handshake begins in the epoch of the one before, and ends with a Finished in the next.
            begun: cython.int = epoch - 1 if header[0] == FINISHED and epoch > 0 else epoch
            if begun > flight.epoch:
                flight.begin(begun)
        if header[0] <= 3 and header[6:9] == b"\0\0\0":
            self.transport.note_hello(role, frame, at)
        taken: cython.bint = flight.take(header, data, epoch > 0, frame, at)
        if self.log.events is not None:
            words = flight.words_of(header, taken)
            if words:
                self.log.emit(PartSeen(words, role, frame, at))
        if not taken:
            return
        self.deliver(role)
        if flight.since >= 0:
            flight.since = at

    def deliver(self, role: cython.int) -> None:
        """Take the messages of a role whose turn it is."""
        message: Any = self.flights[role].advance()
        while message is not None:
            self.take_message(role, self.flights[role].next - 1, message, message.frame, message.at)
            message = self.flights[role].advance()

    def take_message(
        self, role: cython.int, sequence: cython.int, message: Any, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Take a message in its turn, with the header of TLS; of one that is not whole, what there is."""
        handshake = self.handshake
        handshake.transcript.sequence = sequence
        handshake.decrypting = message.sealed
        sender: RoleState = self.roles[role]
        if message.sealed:
            sender.encrypted_finished_seen = True
        # A ChangeCipherSpec, which has no number, or the Finished can have overtaken a message.
        last: cython.bint = message.type == FINISHED
        late: cython.bint = not last and (sender.connected or sender.change_frame > 0)
        if message.sealed:
            late = not handshake.parameters.tls13 and (sender.state == _CHANGED) != last
        if late or (sequence > 0 and sequence == self.flights[role].first):
            sender.lose_place()
        handshake.take(role, message.raw, message.length - len(message.head), -1, frame, at)
        handshake.decrypting = False
        if late:
            sender.lose_place()
        if handshake.parameters.tls13:
            handshake.transcript.early = False  # there is no EndOfEarlyData (RFC 9147 section 5.6)
            if message.sealed and message.type in (REQUEST_CONNECTION_ID, NEW_CONNECTION_ID):
                self.transport.take_ids(role, message.type, message.raw)
                if sender.connected:
                    sender.sent.begin(sender.sent.origin)  # TLS does not allow them, and DTLS does

    def skip(self, role: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        """Give up the messages of a role that are not whole, and take those behind them."""
        flight: Any = self.flights[role]
        while len(flight.waiting) > 0:
            sequence: cython.int = flight.next
            message: Any = flight.give_up()
            if message is None or len(message.head) == 0:
                self.handshake.lose(role, frame, at)
            else:
                self.take_message(role, sequence, message, frame, at)
            self.deliver(role)
        self.release(False)

    def release(self, given_up: cython.bint) -> None:
        """Take the records that waited for messages, of which none is missing any more. given_up: take all of them."""
        record: Record
        held, self.held = self.held, []
        for record in held:
            plain: cython.bint = record.epoch == 0 and record.version != _UNIFIED
            waits: cython.bint = len(self.flights[record.role].waiting) > 0 if plain else self.must_wait(record)
            if waits and not given_up:
                self.held.append(record)
            elif plain:
                self.take_change(self.roles[record.role], self.content(record))
            else:
                self.take_sealed(record)

    # Encrypted records.

    def take_sealed(self, record: Record) -> None:
        """Take an encrypted record."""
        sender: RoleState = self.roles[record.role]
        parameters: Parameters = self.handshake.parameters
        if parameters.version != 0 and parameters.tls13 != (record.version == _UNIFIED):
            self.transport.strays += 1  # the version has no such records
            return
        if record.version == _UNIFIED:
            if not self.handshake.opens() or not self.open_unified(sender, record):
                self.count_unified(sender, record)
            return
        if sender.change_frame == 0:
            self.infer_change(sender, record)
        if not self.handshake.opens():
            if not self.is_repeated(record, record.epoch, record.offset):
                self.count_sealed(sender, record)
        elif not self.open(sender, record):
            self.count_sealed(sender, record)

    def open(self, sender: RoleState, record: Record) -> cython.bint:
        """Open a record up to DTLS 1.2. Returns False if no secret opens it, although it seems to be the role's."""
        decryption: Decryption = self.handshake.decryption
        flight: Any = self.flights[sender.role]
        if record.epoch > flight.epoch and (sender.role, record.epoch) not in self.opening.decryptors:
            decryption.change(sender.role)  # the ChangeCipherSpec can be missing
        try:
            opened = self.opening.open(decryption, record)
        except DecryptionError as error:
            return self.fail(sender, record, record.epoch, error)
        self.emit_opened(record, record.epoch, record.offset, opened[0], opened[1])
        if not self.is_repeated(record, record.epoch, record.offset):
            self.take_opened(sender, record, record.epoch, opened[0], opened[1])
        return True

    def open_unified(self, sender: RoleState, record: Record) -> cython.bint:
        """Open a record of DTLS 1.3: see `open`."""
        try:
            opened = self.opening.open_unified(self.handshake.decryption, record)
        except DecryptionError as error:
            return self.fail(sender, record, self.opening.current[sender.role], error)
        self.emit_opened(record, opened[0], opened[1], opened[2], opened[3])
        self.handshake.decryption.early = opened[0] == 1
        sender.seals = True
        if not self.is_repeated(record, opened[0], opened[1]):
            self.take_opened(sender, record, opened[0], opened[2], opened[3])
        return True

    def emit_opened(
        self, record: Record, epoch: cython.int, number: cython.longlong, content_type: cython.int, content: bytes
    ) -> None:
        """Emit what was in a protected record, if somebody looks at records."""
        if self.log.places:
            self.log.emit(RecordOpened(record.role, record.body, epoch, number, content_type, content, record.frame, record.at))

    def fail(self, sender: RoleState, record: Record, epoch: cython.int, error: Any) -> cython.bint:
        """Take a record that does not open. Returns True if it is somebody else's, because others of its epoch open."""
        if record.missing == 0 and (sender.role, epoch) in self.opening.proven:
            self.transport.strays += 1
            return True
        self.handshake.decryption.note_failure(record, error.reason, error.detail)
        if record.content_type == HANDSHAKE or (record.version == _UNIFIED and not is_early(record)):
            self.handshake.transcript.lose(sender.role)
        return False

    def take_opened(
        self, sender: RoleState, record: Record, epoch: cython.int, content_type: cython.int, content: bytes
    ) -> None:
        """Take the content of a record that was opened. epoch: the whole number of its epoch."""
        handshake = self.handshake
        decryption: Decryption = handshake.decryption
        decryption.records += 1
        if epoch >= 3 if handshake.parameters.tls13 else record.offset > 0:  # only a Finished comes before it
            sender.n_protected += 1
        if content_type == HANDSHAKE:
            self.take_fragments(sender.role, content, epoch, record.frame, record.at)
        elif content_type == APPLICATION_DATA:
            if not decryption.early:
                if sender.state != _CONNECTED:  # it has overtaken the Finished, or that is missing
                    sender.lose_place()
                sender.count_data(record.frame)
            self.count_data(sender, record)
            decryption.carry(sender.role, content, handshake.parameters.alpn, record.frame, record.at)
        elif content_type == ALERT:
            self.take_alert(sender, record, content, len(content), True)
        elif content_type == HEARTBEAT:
            take_heartbeat(self, record, content, len(content), False)
        elif content_type == _ACK:
            self.take_ack(record)
        elif content_type == CHANGE_CIPHER_SPEC and not handshake.parameters.tls13:  # of a renegotiation
            sender.lose_place()  # it has no number, so messages before it can be missing unseen
            handshake.advance(sender, _CHANGE, record.frame, record.at)
            decryption.change(sender.role)
            self.emit_record_event("change_cipher_spec", record, record.length)
            self.log.emit(KeysChanged("protected", sender.role, record.frame, record.at))

    def count_unified(self, sender: RoleState, record: Record) -> None:
        """Count a record of DTLS 1.3 that was not opened. The last bits of its epoch tell the handshake from data."""
        epoch: cython.int = record.epoch
        if epoch == 2 and (sender.role == _CLIENT or self.roles[_SERVER].n_protected == 0):
            sender.lose()
            if record.length >= SHORTEST_FINISHED and self.handshake.hellos.server_seen and sender.role == _CLIENT:
                sender.encrypted_finished_seen = True
                sender.n_protected += 1
            self.emit_record_event("encrypted_handshake", record, record.length)
            return
        if is_early(record) and sender.n_protected == 0:
            self.count_data(sender, record)
            return
        sender.lose()
        sender.seals = True
        sender.n_protected += 1
        self.count_data(sender, record)

    def count_sealed(self, sender: RoleState, record: Record) -> None:
        """Count a record up to DTLS 1.2 that was not opened."""
        plain: Record = self.content(record)
        if record.content_type == HANDSHAKE:
            self.take_encrypted_handshake(sender, plain)
        elif record.content_type == ALERT:
            self.log.add_alert(Alert(-1, -1, record.role, record.frame, record.at))
        elif record.content_type != CHANGE_CIPHER_SPEC:
            sender.seals = True
            sender.n_protected += 1
            self.count_data(sender, plain)

    # The end.

    @property
    def established(self) -> bool | None:
        """See `Session.established`. A hello that a client sends again shows something too, and a missing datagram nothing."""
        handshake = self.handshake
        known = is_completed(self.flow, self.log, handshake.hellos, handshake.parameters, self.roles[0], self.roles[1])
        unanswered: cython.bint = self.roles[_CLIENT].state == 2 and self.transport.is_unanswered
        if known is None:
            return False if unanswered else None
        roles = self.roles
        plain = [one.level for one in self.log.alerts if not roles[one.role].seals and not roles[one.role].change_frame]
        return known or (False if FATAL in plain or self.transport.is_whole() else None)

    def has_ended(self) -> cython.bint:
        """Return whether both sides said that they end the session."""
        return self.roles[_CLIENT].ended > 0 and self.roles[_SERVER].ended > 0

    @property
    def whole(self) -> bool:
        """See `Session.whole`: nobody can tell it of datagrams."""
        return False

    def end_role(self, role: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        """Give up the messages of a role that are not whole: the capture lacks them."""
        self.skip(role, frame, at)
        self.release(True)
        Session.end_role(self, role, frame, at)

    def finish(self, frame: cython.longlong, at: cython.longlong) -> cython.bint:
        """Note that the flow has ended. A session that waited for its secrets was not told that its roles had ended."""
        for role in (_CLIENT, _SERVER):
            self.skip(role, frame, at)
        Session.finish(self, frame, at)
        self.log.in_order()
        self.transport.end()
        return True
