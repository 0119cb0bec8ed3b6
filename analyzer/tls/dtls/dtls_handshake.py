"""The handshake of one session over DTLS: its messages in fragments, and the records that wait for them (RFC 9147 section 5).

Handshake messages come in fragments (`handshake_flights.py`) and reach the code of TLS whole, in order, and with its header. Up
to DTLS 1.2 what both sides hash has the header of DTLS (`Transcript.hashed`). Encrypted records of a role wait while messages
before them are missing; what is still missing then, the capture lacks. A ChangeCipherSpec counts when a record with other keys
follows: alone it can be anybody's, and in DTLS 1.3 receivers drop it (RFC 9147 section 5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.codec.registry import registry
from analyzer.flows.flow import Flow
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.dtls.disputes import Disputes
from analyzer.tls.dtls.dtls_events import PartSeen
from analyzer.tls.dtls.dtls_facts import DtlsFacts
from analyzer.tls.dtls.handshake_flights import FlightReader
from analyzer.tls.dtls.record_headers import FRAGMENT_HEADER, UNIFIED, copy_content, is_early
from analyzer.tls.dtls.record_opening import RecordOpening
from analyzer.tls.dtls.unproved import report_unproved
from analyzer.tls.events import Event, KeysChanged
from analyzer.tls.handshake.plaintext_rules import PLAINTEXT_TYPES, is_disbelieved
from analyzer.tls.handshake.resumption import Resumptions
from analyzer.tls.handshake.states import CHANGE, RoleState, State
from analyzer.tls.messages.numbers import (
    CERTIFICATE,
    CLIENT_HELLO,
    CLIENT_KEY_EXCHANGE,
    FINISHED,
    HELLO_REQUEST,
    HELLO_RETRY_REQUEST,
    HELLO_VERIFY_REQUEST,
    NEW_CONNECTION_ID,
    REQUEST_CONNECTION_ID,
    SERVER_HELLO,
)
from analyzer.tls.record.record import Record
from analyzer.tls.session import Session

if TYPE_CHECKING:
    import cython

_ALLOWED = (PLAINTEXT_TYPES[0], PLAINTEXT_TYPES[1] + bytes((HELLO_REQUEST, HELLO_VERIFY_REQUEST)))
_NEVER = (b"", bytes((HELLO_RETRY_REQUEST,)))
_TYPES = registry("handshake_types")

KEYING = (CLIENT_HELLO, SERVER_HELLO, HELLO_VERIFY_REQUEST, CLIENT_KEY_EXCHANGE)
"""The messages on which the keys depend up to DTLS 1.2."""

STRAYS = tuple(
    bytes(one for one in range(256) if _TYPES.known(one) and (one not in allowed or one in never))
    for allowed, never in zip(_ALLOWED, _NEVER, strict=True)
)
"""The known messages that a role never sends in plaintext up to DTLS 1.2, by role. Drafts of DTLS 1.3 had no HelloRetryRequest
of a type of its own."""

# In the compiled build these are C variables, which other modules cannot see.
_CLIENT, _CHANGE, _CHANGED, _UNIFIED = 0, CHANGE, int(State.CHANGED), UNIFIED
_LAST_HELLO = 1  # the highest number of a hello in DTLS 1.3: each role has two at most


class DtlsHandshake(Session):
    """The handshake of a session over DTLS. `DtlsSession` opens its records.

    flights: by role, its handshake messages. changes: by role, its first ChangeCipherSpec, None without one. held: records that
    wait for the messages of their role. opening: the keys. plain: a record whose body is the content of the one that is read
    now. disputes: messages that contradict each other, None while the records of a handshake are read again.
    """

    __slots__ = ("changes", "disputes", "flights", "held", "opening", "plain")

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
        self.changes: list[Record | None] = [None, None]
        self.disputes: Disputes | None = Disputes()
        self.held: list[Record] = []
        self.opening = RecordOpening()
        self.plain = Record(0)

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

    def is_repeated(self, record: Record, epoch: cython.int, number: cython.longlong, opened: cython.bint) -> cython.bint:
        """Return whether a record came before: on the path, or in the capture. It counts once.

        Unless it has opened, anybody can have sent the first one with a number, so the other one must have the same content.
        """
        if not self.transport.repeats(record.role, epoch, number, b"" if opened else record.body):
            return False
        self.log.emit(PartSeen("Record (Retransmission)", record.role, record.frame, record.at))
        return True

    def note_change(self, sender: RoleState, record: Record) -> None:
        """Note a ChangeCipherSpec in plaintext: see `take_change`."""
        if self.handshake.parameters.tls13 or record.body[record.header :] != b"\1":
            self.transport.strays += 1
        elif sender.change_frame == 0:
            self.transport.note_change(record.role, record.offset)
            if self.changes[record.role] is not None:
                return
            self.changes[record.role] = record.copy()
            self.emit_record_event("change_cipher_spec", record, record.length)

    def take_change(self, sender: RoleState, record: Record) -> None:
        """Take the change of a role to other keys, which its first record with them shows. Its ChangeCipherSpec can be lost."""
        handshake = self.handshake
        change: Any = self.changes[record.role]
        before: str = handshake.parameters.resumption
        if change is None:
            sender.lose()
        else:
            sender.sent.lose()  # it has no number, so messages before it can be missing unseen
            record = change
        begun: cython.bint = handshake.hellos.client_seen if record.role == _CLIENT else handshake.hellos.server_seen
        taken: cython.bint = self.transport.shows_last(record.role, self.flights[record.role].next)
        sender.missed = sender.missed or not begun or not taken
        sender.change_frame = record.frame
        if record.role != _CLIENT:
            handshake.detect_resumption()
            if change is not None and not self.transport.is_whole():
                handshake.parameters.resumption = before
        if handshake.parameters.version == 0:
            sender.lose_place()
        else:
            handshake.advance(sender, _CHANGE, record.frame, record.at)
        if handshake.opens():
            handshake.decryption.active = handshake.decryption.change(record.role)
            handshake.share_master_secret()
        if self.log.events is not None and handshake.parameters.version != 0:
            self.log.emit(KeysChanged("protected", record.role, record.frame, record.at))

    def take_fragments(
        self, role: cython.int, body: bytes, epoch: cython.int, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Take the content of a handshake record: fragments of one message or more. epoch: of the record."""
        pos: cython.Py_ssize_t = 0
        end: cython.Py_ssize_t = len(body)
        while end - pos >= FRAGMENT_HEADER:
            length: cython.longlong = int.from_bytes(body[pos + 9 : pos + 12], "big")
            stop: cython.Py_ssize_t = min(pos + FRAGMENT_HEADER + length, end)
            if epoch == 0 and self.is_stray(role, body[pos], body[pos + 4] << 8 | body[pos + 5]):
                self.transport.strays += 1
            else:
                header: bytes = body[pos : pos + FRAGMENT_HEADER]
                self.take_fragment(role, header, body[pos + FRAGMENT_HEADER : stop], epoch, frame, at)
            pos += FRAGMENT_HEADER + length
        self.release(False)

    def is_stray(self, role: cython.int, number: cython.int, sequence: cython.int) -> cython.bint:
        """Return whether a role does not send this message in plaintext: receivers discard it (RFC 9147 section 4.5.2).

        number: its type. In DTLS 1.3 only hellos are in plaintext, and none behind the ServerHello.
        """
        flight: Any = self.flights[role]
        answered: cython.bint = self.handshake.hellos.server_seen
        if not self.handshake.parameters.tls13 or not answered:
            return number in STRAYS[role] or (number == HELLO_VERIFY_REQUEST and sequence > 1)  # it answers the first hello
        if number != (CLIENT_HELLO if role == _CLIENT else SERVER_HELLO):
            return True
        if sequence in flight.plain or sequence in flight.chosen:  # it came again, or with other contents
            return False
        return sequence > _LAST_HELLO or (
            role != _CLIENT and sequence >= flight.first
        )  # one before the first was not late, or nobody's

    def take_fragment(
        self, role: cython.int, header: bytes, data: bytes, epoch: cython.int, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Take a fragment, and the messages that it completes."""
        flight: Any = self.flights[role]
        if not self.handshake.parameters.tls13:
            # A handshake begins in the epoch of the one before, and ends with a Finished in the next.
            begun: cython.int = epoch - 1 if header[0] == FINISHED and epoch > 0 else epoch
            if begun > flight.epoch:
                self.end_handshakes(begun, frame, at)
                flight.begin(begun)
        if self.disputes is not None:
            if epoch == 0:
                self.disputes.compare(role, header, data, frame)
            elif (header[4] << 8 | header[5]) in flight.plain:
                self.disputes.refuse(role, header[4] << 8 | header[5])
        if header[0] <= 3 and header[6:9] == b"\0\0\0":
            self.transport.note_hello(role, frame, at)
        taken: cython.bint = flight.take(header, data, epoch > 0, frame, at)
        if self.log.events is not None:
            words = flight.words_of(header, taken)
            if words:
                self.log.emit(PartSeen(words, role, frame, at))
        if taken or flight.leaves_out():
            self.deliver(role, frame, at)
        if taken and flight.since >= 0:
            flight.since = at

    def deliver(self, role: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        """Take the messages of a role whose turn it is."""
        flight: Any = self.flights[role]
        while True:
            if self.handshake.parameters.tls13:
                flight.drop_plaintext(_LAST_HELLO, CLIENT_HELLO, SERVER_HELLO)
            message: Any = flight.advance()
            if message is not None:
                self.take_message(role, flight.next - 1, message, message.frame, message.at)
            elif flight.leaves_out():
                if flight.next not in flight.unhashed:
                    self.handshake.lose(role, frame, at)
                elif role != _CLIENT:  # a HelloVerifyRequest is among them: the handshake begins with the next ClientHello
                    self.roles[_CLIENT].sent.begin(0)
                    self.roles[_CLIENT].n_hellos = 0
                flight.next += 1
            else:
                return

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
            self.flights[role].drop_plaintext(0)
        # A ChangeCipherSpec, which has no number, or the Finished can have overtaken a message.
        last: cython.bint = message.type == FINISHED
        late: cython.bint = not last and (sender.connected or sender.change_frame > 0)
        if message.sealed:
            late = not handshake.parameters.tls13 and (sender.state == _CHANGED) != last
        if late or (sequence > 0 and sequence == self.flights[role].first):
            sender.lose_place()
        if not message.sealed and self.has_no_place(sender, message.type):
            report_unproved(self.log, role, message.type, frame)
            return
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

    def has_no_place(self, sender: RoleState, number: cython.int) -> cython.bint:
        """Return whether a message in plaintext has no place in its handshake, and nothing will prove whose it is.

        A Finished that can be read proves it, but not if the keys depend on the message.
        """
        handshake = self.handshake
        if handshake.parameters.version == 0:
            return False
        if handshake.parameters.tls13:
            return bool(is_disbelieved(handshake, sender.role, number, True))
        if number in KEYING or number == HELLO_REQUEST:
            again: cython.bint = handshake.hellos.server_seen and number in (SERVER_HELLO, HELLO_REQUEST)
        elif handshake.opens():
            return False
        else:
            again = number == CERTIFICATE and handshake.certificates[sender.role] is not None
        return again or not sender.expects(number)

    def skip(self, role: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        """Give up the messages of a role that are not whole, and take those behind them."""
        flight: Any = self.flights[role]
        if len(flight.waiting) > 0 and self.handshake.opens():
            self.release(True)  # a record that opens can show that nothing is missing, and that others sent what waits
        if len(flight.waiting) > 0 and not self.handshake.parameters.tls13 and self.transport.ends_with(role, flight.next - 1):
            for number, shown in flight.drop_plaintext(0):
                report_unproved(self.log, role, number, shown)
        while len(flight.waiting) > 0:
            sequence: cython.int = flight.next
            message: Any = flight.give_up()
            if message is None or len(message.head) == 0:
                self.handshake.lose(role, frame, at)
            else:
                self.take_message(role, sequence, message, frame, at)
            self.deliver(role, frame, at)
        self.release(False)

    def give_up(self, frame: cython.longlong, at: cython.longlong) -> None:
        """Give up the messages of both roles that are not whole, and take the records that waited for any."""
        self.skip(0, frame, at)
        self.skip(1, frame, at)
        self.release(True)

    def end_handshakes(self, epoch: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        """Give up the messages of the handshakes before another one, which begins in `epoch`: both roles had ended them."""
        for role in range(2):
            if self.flights[role].epoch < epoch:
                self.skip(role, frame, at)
        if len(self.held) > 0:
            self.release(True)

    def release(self, given_up: cython.bint) -> None:
        """Take the records that waited for messages, of which none is missing any more. given_up: take all of them."""
        record: Record
        held, self.held = self.held, []
        for record in held:
            if self.must_wait(record) and not given_up:
                self.held.append(record)
            else:
                self.take_sealed(record)

    def take_sealed(self, record: Record) -> None:
        """Take an encrypted record, which nothing opens here."""
        self.transport.strays += 1
