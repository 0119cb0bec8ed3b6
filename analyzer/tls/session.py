"""Follows one TLS session as a passive reader: takes records, and returns messages and facts.

Both roles go through the same stages in every version: hello, key exchange, switch to encryption, application data. Only the
switch is different. Up to TLS 1.2 each role announces it with ChangeCipherSpec (RFC 5246 section 7.1). In TLS 1.3 it follows
the ServerHello, everything encrypted has the content type application_data, and ChangeCipherSpec has no meaning (RFC 9846
section 5). The session records what came, in the order in which it became complete. It does not know the transport.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.flows.flow import Flow
from analyzer.tls.compatible_session import take_ssl2
from analyzer.tls.decryption.decryption import Decryption
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.establishment import is_completed, is_whole
from analyzer.tls.events import Alert, Event, Gap, KeysChanged, record_event
from analyzer.tls.handshake.hello_order import is_late_hello
from analyzer.tls.handshake.parameters import Parameters
from analyzer.tls.handshake.plaintext_rules import (
    is_behind_change,
    is_forged_alert,
    is_plain,
    is_without_gap,
    may_be_encrypted,
    offers_early_data,
)
from analyzer.tls.handshake.resumption import Resumptions
from analyzer.tls.handshake.states import CHANGE, RoleState
from analyzer.tls.messages.numbers import FINISHED, HEADER
from analyzer.tls.record.content_types import (
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    ENCRYPTED_ALERT_13,
    HANDSHAKE,
    HEARTBEAT,
    LENGTH_OF_ALERT,
    SSL2,
)
from analyzer.tls.record.explicit_nonces import ExplicitNonces, has_explicit_nonce
from analyzer.tls.record.heartbeats import Heartbeats
from analyzer.tls.record.record import (
    BODY,
    CONFLICT,
    FACT,
    GAP,
    LOST,
    NO_RECORD,
    NOTHING,
    START,
    START_BYTES,
    Record,
    RecordSink,
)
from analyzer.tls.record.record_rules import alert_fault, ending, unknown_level
from analyzer.tls.record.sealed_sizes import SealedSizes
from analyzer.tls.record_check import check_change, check_ended, check_opened, check_record, take_heartbeat
from analyzer.tls.session_handshake import SessionHandshake
from analyzer.tls.session_log import ROLES, SessionLog

if TYPE_CHECKING:
    import cython

NO_OFFSET = -1

# In the compiled build these are C variables, which other modules cannot see.
_CHANGE = CHANGE
_CLIENT, _SERVER = 0, 1


class Session(RecordSink):
    """One TLS session. After the end of its flow all facts are final.

    id: its number in the run. flow: which endpoints communicate. log: what happened. handshake: what its handshakes contain and
    authenticate. roles: the state of each role. nonces: those on the wire, None if the cipher suite has none there. heartbeats:
    the last ones, None before the first. sizes: by role, lengths of its records of application data. transport: what a
    transport other than TCP shows beside TLS, with its `name` and the `letter` that JA4 has for it; None for TLS over TCP.
    """

    __slots__ = ("flow", "handshake", "heartbeats", "id", "log", "nonces", "roles", "sizes", "transport")

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
        """events, places: see `SessionLog`. The other parameters: see `SessionHandshake`."""
        self.id = number
        self.flow = flow
        self.log = SessionLog(number, events, places)
        self.handshake = SessionHandshake(flow, self.log, material, resumptions, keeps_fields)
        self.roles = self.handshake.roles
        sender: RoleState
        if flow.mid_stream:
            for sender in self.roles:
                sender.unsure = True
                sender.lose()
        self.nonces: ExplicitNonces = None  # type: ignore[assignment]  # until a side encrypts with such a suite
        self.heartbeats: Heartbeats | None = None
        self.sizes = (SealedSizes(), SealedSizes())
        self.transport: Any = None
        self.kept = 0

    def wants(self, role: cython.int, content_type: cython.int) -> cython.int:
        """Return what will be read of the body of a record: NOTHING, BODY, or its START for the explicit nonce."""
        if self.handshake.opens():
            return BODY
        sender: RoleState = self.roles[role]
        parameters: Parameters = self.handshake.parameters
        if content_type != APPLICATION_DATA or (sender.change_frame == 0 and parameters.version != 0 and not parameters.tls13):
            return BODY
        return NOTHING if self.nonces is None else START

    def is_encrypted(self, role: cython.int) -> cython.bint:
        """Return whether records of this role, other than application_data, are encrypted now."""
        sender: RoleState = self.roles[role]
        return (sender.change_frame > 0 or sender.seals) and not self.handshake.parameters.tls13

    def hides(self, sender: RoleState, record: Record) -> cython.bint:
        """Return whether a record's content is not to be read as plaintext: it is encrypted, or may be.

        Where the capture lacks bytes, or begins late, a ChangeCipherSpec may be among them (`may_be_encrypted`).
        """
        if self.is_encrypted(record.role):
            return record.content_type != ALERT or record.length != LENGTH_OF_ALERT or self.handshake.parameters.version == 0
        if not sender.unsure:
            return False
        hidden: cython.bint = may_be_encrypted(record)
        sender.unsure = hidden or record.content_type != HANDSHAKE
        return hidden

    def take(self, record: Record) -> None:
        """Take a record, or a notice in the place of one (gap, loss, conflict)."""
        role: cython.int = record.role
        content_type: cython.int = record.content_type
        if content_type < 0:
            self.take_notice(record)
            self.kept = self.handshake.kept
            return
        sender: RoleState = self.roles[role]
        if self.log.places:
            self.log.emit_record(record)
        if self.nonces is not None and sender.change_frame > 0:
            self.check_nonce(record)
        parameters: Parameters = self.handshake.parameters
        if parameters.is_unusual(content_type, record.version, record.length):
            check_record(self, record)
        until_12: cython.bint = parameters.version != 0 and not parameters.tls13
        if content_type != APPLICATION_DATA:
            if sender.change_frame > 0 and until_12 and is_plain(record, parameters.suite):
                self.take_plain(sender, record)
                return
        elif sender.change_frame == 0 and until_12 and self.sends_plain_data(sender):
            self.take_plain(sender, record)
            return
        elif sender.plain_alert > 0:
            sender.seals = True
            if self.encrypts(sender):
                self.log.disbelieve_alert(sender.role, sender.plain_alert)
                sender.plain_alert = 0
        if sender.unsure and self.handshake.opens() and is_behind_change(record, self.roles[1 - role]):
            self.handshake.decryption.active = self.handshake.decryption.change(role)
        if self.handshake.opens() and self.open(sender, record):
            sender.seals = True
            self.kept = self.handshake.kept
            return
        if sender.ended > 0:
            check_ended(self, record)
        if content_type == APPLICATION_DATA:
            sender.seals = True
            self.take_ciphertext(sender, record)
        elif content_type == HANDSHAKE:
            if record.version == SSL2:
                take_ssl2(self, sender, record)
            elif not self.hides(sender, record) or is_late_hello(record, self.handshake.parameters.version):
                missing: cython.longlong = record.length - len(record.body)
                self.handshake.take(role, record.body, missing, record.offset + record.header, record.frame, record.at)
            else:
                self.take_encrypted_handshake(sender, record)
        elif content_type == CHANGE_CIPHER_SPEC:
            self.change_keys(sender, record)
        elif content_type == ALERT:
            self.take_alert(sender, record, record.body, record.length, False)
        elif content_type == HEARTBEAT:
            take_heartbeat(self, record, record.body, record.length, sender.unsure or self.is_encrypted(role))
        self.kept = self.handshake.kept

    def open(self, sender: RoleState, record: Record) -> cython.bint:
        """Decrypt a record and process its content. Returns False if it is not encrypted or cannot be decrypted."""
        handshake: SessionHandshake = self.handshake
        decryption: Decryption = handshake.decryption
        role: cython.int = record.role
        if record.version == SSL2 or not decryption.protects(role, record.content_type):
            return False
        opened = decryption.open(record)
        if opened is None:
            if role != _CLIENT or not handshake.hellos.offers_early:
                handshake.transcript.lose(role)
            if decryption.exhausted:
                decryption.active = False
            return False
        parameters: Parameters = handshake.parameters
        if parameters.version == 0 and decryption.keys.version:  # no ServerHello: found by trial decryption
            parameters.version = self.log.version = decryption.keys.version
            parameters.tls13 = True
            parameters.suite = decryption.keys.suite
            parameters.cipher_suite = decryption.keys.cipher_suite
        inner: cython.int = opened[0]
        plaintext: bytes = opened[1]
        if (
            sender.ended > 0
            or (inner == HANDSHAKE and len(plaintext) == 0)
            or (inner != HANDSHAKE and (inner != APPLICATION_DATA or handshake.readers[role].is_inside()))
        ):
            check_opened(self, record, inner, len(plaintext))
        handshake.decrypting = True
        if inner == HANDSHAKE:
            sender.encrypted_finished_seen = True
            handshake.take(role, plaintext, 0, NO_OFFSET, record.frame, record.at)
        elif inner == APPLICATION_DATA:
            if not decryption.early:
                sender.count_data(record.frame)
            self.count_data(sender, record)
            decryption.carry(role, plaintext, parameters.alpn, record.frame, record.at)
        elif inner == ALERT:
            self.take_alert(sender, record, plaintext, len(plaintext), True)
        elif inner == HEARTBEAT:
            take_heartbeat(self, record, plaintext, len(plaintext), False)
        elif inner == CHANGE_CIPHER_SPEC:  # of a renegotiation
            handshake.advance(sender, _CHANGE, record.frame, record.at)
            decryption.active = decryption.change(role)
            self.emit_record_event("change_cipher_spec", record, record.length)
            if self.log.events is not None and not parameters.tls13:
                self.log.emit(KeysChanged("protected", role, record.frame, record.at))
        handshake.decrypting = False
        return True

    def sends_plain_data(self, sender: RoleState) -> cython.bint:
        """Return whether application data of a role without ChangeCipherSpec is in plaintext, up to TLS 1.2."""
        whole: cython.bint = self.handshake.hellos.server_seen and not self.flow.mid_stream and not sender.sent_no_record
        return whole and not sender.missed and (len(self.log.gaps) == 0 or is_without_gap(sender.role, self.log.gaps))

    def take_plain(self, sender: RoleState, record: Record) -> None:
        """Take a record in plaintext that nobody has to believe: keep what it says, and report it."""
        if record.content_type == HANDSHAKE:
            self.handshake.take(record.role, record.body, 0, record.offset + record.header, record.frame, record.at)
        elif record.content_type == ALERT:
            self.take_alert(sender, record, record.body, record.length, False)
        else:
            self.log.report_plaintext(record.role, record.content_type, record.body, record.length, record.frame)
            if record.content_type == APPLICATION_DATA:
                sender.exposed = True
                self.count_data(sender, record)
        self.kept = self.handshake.kept

    def encrypts(self, sender: RoleState) -> cython.bint:
        """Return whether a role is known to have encrypted a record that is not early data (TLS 1.3)."""
        handshake: SessionHandshake = self.handshake
        if not sender.seals or sender.role != _CLIENT or not offers_early_data(handshake.hellos.fingerprint_input):
            return sender.seals
        return handshake.decryption is not None and handshake.decryption.is_past_early_data()

    def take_ciphertext(self, sender: RoleState, record: Record) -> None:
        """Count a record of application data that was not decrypted. In TLS 1.3 its real content type can be any."""
        handshake: SessionHandshake = self.handshake
        if not handshake.parameters.tls13:
            if handshake.parameters.version != 0 or record.length > ENCRYPTED_ALERT_13:  # it may be TLS 1.3
                sender.n_protected += 1
            if sender.change_frame == 0:
                sender.lose()
        else:
            sender.lose()
            if handshake.hellos.server_seen and record.length > ENCRYPTED_ALERT_13:
                sender.n_protected += 1
        self.count_data(sender, record)

    def count_data(self, sender: RoleState, record: Record) -> None:
        """Count a record of application data."""
        sender.n_application += 1
        sender.n_bytes += record.length
        sizes: SealedSizes = self.sizes[record.role]
        sizes.add(record.length, record.frame, record.at)
        self.emit_record_event("application_data", record, record.length)

    def take_encrypted_handshake(self, sender: RoleState, record: Record) -> None:
        """Take a handshake record after a ChangeCipherSpec that was not decrypted.

        The first message with the new keys is the Finished (RFC 5246 section 7.4.9), unless it may be the rest of another one.
        """
        if (sender.unsure and not sender.seals) or (self.handshake.parameters.version == 0 and len(record.body) < HEADER):
            sender.lose()
            self.emit_record_event("encrypted_handshake", record, record.length)
            return
        if not sender.encrypted_finished_seen and not sender.unsure and not sender.seals:
            sender.encrypted_finished_seen = True
            self.handshake.advance(sender, FINISHED, record.frame, record.at)
            self.log.add_hidden_finished(record)
            other: RoleState = self.roles[1 - record.role]
            if other.encrypted_finished_seen:
                self.handshake.authenticate()
        else:
            sender.hidden = True
            sender.lose()
            self.emit_record_event("encrypted_handshake", record, record.length)
        sender.n_protected += 1

    def change_keys(self, sender: RoleState, record: Record) -> None:
        """Take a ChangeCipherSpec in plaintext."""
        handshake: SessionHandshake = self.handshake
        tls13: cython.bint = handshake.parameters.tls13
        if record.body != b"\1" or (tls13 and (sender.connected or handshake.readers[record.role].is_inside())):
            check_change(self, record)
        if sender.change_frame == 0:
            sender.change_frame = record.frame
            if record.role != _CLIENT:
                handshake.detect_resumption()
            if self.nonces is None and has_explicit_nonce(handshake.parameters.suite):
                self.nonces = ExplicitNonces()
        if handshake.parameters.version == 0:  # it may be TLS 1.3, where it has no meaning
            sender.lose_place()
        elif not tls13:
            if handshake.readers[record.role].is_inside():  # its messages could not be read: none of them is missing
                sender.lose_place()
            handshake.advance(sender, _CHANGE, record.frame, record.at)
        if handshake.opens():
            handshake.decryption.active = handshake.decryption.change(record.role)
            handshake.share_master_secret()
        self.emit_record_event("change_cipher_spec", record, record.length)
        if self.log.events is not None and handshake.parameters.version != 0 and not tls13:
            self.log.emit(KeysChanged("protected", record.role, record.frame, record.at))

    def take_alert(
        self, sender: RoleState, record: Record, body: bytes, length: cython.longlong, decrypted: cython.bint
    ) -> None:
        """Take the content of an alert record, which can have several alerts (RFC 5246 section 7.2).

        An alert record that is longer than an alert, and does not begin with a level, is encrypted, whatever came before it.
        """
        pos: cython.Py_ssize_t = 0
        role: cython.int = record.role
        unannounced: cython.bint = length > LENGTH_OF_ALERT and len(body) > 0 and body[0] != 1 and body[0] != 2
        if not decrypted and (unannounced or self.hides(sender, record)):
            self.log.add_alert(Alert(-1, -1, role, record.frame, record.at))
            return
        parameters: Parameters = self.handshake.parameters
        forged: cython.bint = not decrypted and is_forged_alert(
            sender, parameters.tls13, self.handshake.hellos.server_seen, self.encrypts(sender)
        )
        while 2 <= len(body) - pos:
            alert: Alert = Alert(body[pos], body[pos + 1], role, record.frame, record.at)
            alert.encrypted = decrypted
            alert.injected = forged
            if not forged and alert.level != 1 and alert.level != 2:
                self.log.add_finding("protocol_violation", "low", unknown_level(role, alert.level), record.frame)
            if not forged and (decrypted or not parameters.tls13):
                sender.ended = sender.ended or ending(alert.level, alert.description, parameters.tls13)
            self.log.add_alert(alert)
            pos += 2
        if forged:
            self.log.report_alert(role, record.frame)
        elif not decrypted and parameters.tls13 and self.handshake.hellos.server_seen:
            sender.plain_alert = record.frame
        if record.missing == 0 and (pos != length or (parameters.tls13 and pos > LENGTH_OF_ALERT)):
            self.log.add_finding("protocol_violation", "low", alert_fault(length), record.frame)

    def check_nonce(self, record: Record) -> None:
        """Look whether the explicit nonce of an encrypted record was used before with the same key."""
        if START_BYTES <= len(record.body) and self.nonces.repeats(record.role, record.body):
            detail = f"the {ROLES[record.role]} used the nonce 0x{record.body[:START_BYTES].hex()} twice with one key"
            self.log.add_finding("nonce_reuse", "medium", detail, record.frame)
        if record.content_type == CHANGE_CIPHER_SPEC:  # of a renegotiation
            self.nonces.begin(record.role)

    def take_notice(self, record: Record) -> None:
        """Take a notice in the place of a record: a gap, a loss, a conflict, or bytes that are not a record."""
        role: cython.int = record.role
        sender: RoleState = self.roles[role]
        if record.content_type == GAP:
            self.log.add_gap(Gap(role, record.offset, record.length, record.frame))
        elif record.content_type == LOST:
            if self.nonces is not None:
                self.nonces.begin(role)
            sender.unsure = True
            self.handshake.lose(role, record.frame, record.at)
            if self.handshake.opens():
                self.handshake.decryption.lose(role, len(self.log.gaps) > 0)
        elif record.content_type == CONFLICT:
            self.log.add_conflict(role, record.offset, record.body, record.second, record.frame)
        elif record.content_type == FACT:
            self.log.add_finding(record.problem, "high", record.second.decode(), record.frame)
        elif record.content_type == NO_RECORD and not sender.sent_no_record:
            sender.sent_no_record = True
            detail = f"byte {record.offset} of the {ROLES[role]}'s stream: {record.problem}"
            self.log.add_finding("protocol_violation", "medium", detail, record.frame)

    def emit_record_event(self, kind: str, record: Record, length: cython.longlong) -> None:
        """Emit the event of a record that is listed."""
        if self.log.events is not None:
            self.log.emit(record_event(kind, record.role, length, record.frame, record.at))

    def end_role(self, role: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        """Note that there are no more records of a role. The available part of an incomplete message is kept."""
        self.handshake.take_partial(role, frame, at)

    def finish(self, frame: cython.longlong, at: cython.longlong) -> cython.bint:
        """Note that the flow has ended."""
        log: SessionLog = self.log
        flow: Flow = self.flow
        self.end_role(_CLIENT, frame, at)
        self.end_role(_SERVER, frame, at)
        if len(log.gaps) > 0:
            log.in_order()
        self.handshake.close(at)
        flow.last_frame = frame
        log.check_times(flow.start, flow.first_frame, at, frame)
        flow.end = at if at < 0 or at > flow.start else flow.start  # the clock can be set back meanwhile
        log.close(flow.closed, flow.limited, frame)
        return True

    # Results.

    @property
    def established(self) -> bool | None:
        """Whether the handshake was completed; None where the capture does not show it (`establishment`)."""
        handshake: SessionHandshake = self.handshake
        return is_completed(self.flow, self.log, handshake.hellos, handshake.parameters, self.roles[0], self.roles[1])

    @property
    def whole(self) -> bool:
        """Whether the capture has all bytes of both sides from the ClientHello to its own end, or to that of the flow."""
        return is_whole(self.flow, self.log, self.handshake.hellos)

    @property
    def decryption(self) -> Any:
        """What was decrypted with its secrets (`Decryption`); None without secrets or without a ClientHello."""
        return self.handshake.decryption
