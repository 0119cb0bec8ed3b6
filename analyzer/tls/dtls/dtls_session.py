"""One session over DTLS: records of datagrams, whose order and number nobody guarantees (RFC 9147, RFC 6347, RFC 4347).

Every record says its epoch, so it is known without a ChangeCipherSpec whether it is encrypted: epoch 0 is plaintext.

A datagram that is missing shows nothing: it can be lost on the path, behind the place of the capture, or in the capture. One
that is there shows little before a key has opened it, because anybody who knows two ports can send it. Receivers discard a
record that does not open, and go on (RFC 9147 section 4.5.2). So does this reader: a record that opens with no key, although
others of its epoch do, counts for nothing, and an alert in plaintext for nothing if its role goes on behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.flows.flow import Flow
from analyzer.secrets.decryption_error import DecryptionError
from analyzer.tls.decryption.decryption import Decryption
from analyzer.tls.decryption.key_material import KeyMaterial
from analyzer.tls.dtls.dtls_events import PartSeen
from analyzer.tls.dtls.dtls_handshake import DtlsHandshake
from analyzer.tls.dtls.judgement import judge, judge_at_end
from analyzer.tls.dtls.opened_record import RecordOpened
from analyzer.tls.dtls.record_headers import ACK, TLS12_CID, UNIFIED, is_early
from analyzer.tls.dtls.unproved import ignore_alert
from analyzer.tls.establishment import is_completed
from analyzer.tls.events import Alert, Event, KeysChanged
from analyzer.tls.handshake.parameters import Parameters
from analyzer.tls.handshake.resumption import Resumptions
from analyzer.tls.handshake.states import CHANGE, RoleState, State
from analyzer.tls.limits import PENDING_COST
from analyzer.tls.record.content_types import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, HEARTBEAT
from analyzer.tls.record.record import BODY, Record
from analyzer.tls.record_check import take_heartbeat
from analyzer.tls.session import Session
from analyzer.tls.session_log import FATAL

if TYPE_CHECKING:
    import cython

MAX_HELD = 64
"""Records of a session that wait for handshake messages before them."""

MAX_DOUBTFUL = 8
"""Records that did not open which are kept to see whether others of their epoch do."""

MAX_DOUBTED = 64
"""Alerts of a role in plaintext of which it is looked whether the role goes on."""

GIVE_UP = 5_000_000_000
"""Nanoseconds after which a message is not waited for: it was sent again twice by then (RFC 6347 section 4.2.4.1)."""

CLOSE_NOTIFY = 0

SHORTEST_FINISHED = 53
"""Bytes of the shortest protected record with a Finished in DTLS 1.3: 12 of header, 32, content type, and a tag of 8. An alert
is shorter, and an ACK of one or two records."""

# In the compiled build these are C variables, which other modules cannot see.
_CLIENT, _SERVER, _CHANGE, _CONNECTED = 0, 1, CHANGE, int(State.CONNECTED)
_UNIFIED, _ACK, _CID = UNIFIED, ACK, TLS12_CID


class DtlsSession(DtlsHandshake):
    """One session over DTLS.

    doubtful: records that did not open before any of their epoch has opened, with the error, and with what was wrong with the
    keys before it; None when there were many.
    doubted_alerts: by role, the frame of each alert in plaintext, the number of its record, and whether it ends a session.
    sealed_epochs: by role, how many epochs followed each other in records that were not opened.
    """

    __slots__ = ("doubted_alerts", "doubtful", "sealed_epochs")

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
        DtlsHandshake.__init__(self, number, flow, material, resumptions, events, keeps_fields, places)
        self.doubtful: list[tuple[Record, DecryptionError, tuple[Any, str]]] | None = []
        self.sealed_epochs = [0, 0]
        self.doubted_alerts: list[list[tuple[int, int, bool]]] = [[], []]

    def wants(self, role: cython.int, content_type: cython.int) -> cython.int:
        """See `RecordSink.wants`."""
        return BODY

    def take(self, record: Record) -> None:
        """Take a record with its header."""
        if record.content_type < 0:
            self.take_notice(record)
            return
        if self.disputes is not None and not self.disputes.over:
            self.disputes.keep(record)
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
        if self.disputes is not None and not self.disputes.over:
            judge(self, record)
        self.kept = self.handshake.kept + self.flights[0].held + self.flights[1].held
        self.kept += 0 if self.disputes is None else self.disputes.size
        self.kept += sum([len(one.body) + PENDING_COST for one in self.held])
        self.kept += sum([len(one[0].body) + PENDING_COST for one in self.doubtful or ()])

    def take_plaintext(self, record: Record) -> None:
        """Take a record of epoch 0."""
        sender: RoleState = self.roles[record.role]
        if self.is_repeated(record, 0, record.offset, False):
            return
        plain: Record = self.content(record)
        if record.content_type == HANDSHAKE:
            # Behind data the handshake is over, and anybody can have sent it; also where too much came to know whose it is.
            # Early data comes before the server has answered.
            begins: cython.bint = not self.has_data(sender) or not self.handshake.hellos.server_seen
            if begins and (self.disputes is None or not self.disputes.over):
                flight: Any = self.flights[record.role]
                before: cython.longlong = flight.n_taken
                self.transport.note_message(record.role, record.offset, plain.body)
                self.take_fragments(record.role, plain.body, 0, record.frame, record.at)
                if flight.n_taken > before:
                    self.go_on(sender, record)
        elif record.content_type == CHANGE_CIPHER_SPEC:
            self.note_change(sender, record)
        elif record.content_type == _ACK:
            self.take_ack(record)
        elif record.content_type == ALERT:
            self.take_plain_alert(sender, plain)

    def take_plain_alert(self, sender: RoleState, plain: Record) -> None:
        """Take an alert in plaintext. One that its role cannot have sent is discarded (RFC 9147 section 4.2.1)."""
        body: bytes = plain.body
        encrypts: cython.bint = sender.change_frame > 0 or sender.seals
        answered: cython.bint = self.handshake.parameters.tls13 and self.handshake.hellos.server_seen
        if (
            encrypts
            or (answered and sender.role != _CLIENT)
            or plain.length != 2
            or len(body) != 2
            or not 1 <= body[0] <= FATAL
        ):
            self.transport.strays += 1
            return
        self.take_alert(sender, plain, body, plain.length, False)
        sender.ended = 0  # nothing proves that
        if len(self.doubted_alerts[sender.role]) < MAX_DOUBTED:
            ends: cython.bint = body[0] == FATAL or body[1] == CLOSE_NOTIFY
            self.doubted_alerts[sender.role].append((plain.frame, plain.offset, ends))

    def has_data(self, sender: RoleState) -> cython.bint:
        """Return whether a role has sent data."""
        hidden: cython.int = self.transport.hidden[sender.role]
        return sender.n_application > hidden

    def has_others(self) -> bool:
        """Return whether records were taken that the version does not have, which was not known yet."""
        parameters: Parameters = self.handshake.parameters
        opening = self.opening
        return parameters.version != 0 and opening.tls13 is None and opening.formats[0 if parameters.tls13 else 1] > 0

    def go_on(self, sender: RoleState, record: Record) -> None:
        """Take it that a role went on with a record: alert and ChangeCipherSpec in plaintext before it were not its own."""
        sealed: cython.bint = record.epoch > 0 or record.version == _UNIFIED
        change: Any = self.changes[sender.role]
        if not sealed and change is not None and change.offset < record.offset:
            self.changes[sender.role] = None
        parameters: Parameters = self.handshake.parameters
        doubted: Any = self.doubted_alerts[sender.role]
        if doubted:
            kept = []
            for alert in doubted:
                if not sealed and alert[1] >= record.offset:
                    kept.append(alert)
                elif alert[2] or parameters.tls13:  # there every alert in plaintext ends a session
                    ignore_alert(self.log, sender.role, alert[0])
                elif parameters.version == 0:
                    kept.append(alert)
            self.doubted_alerts[sender.role] = kept

    def take_ack(self, record: Record) -> None:
        """Take an ACK, which says what to send again and nothing about the session (RFC 9147 section 7)."""
        self.transport.acks += 1
        self.log.emit(PartSeen("Ack", record.role, record.frame, record.at))

    # Encrypted records.

    def take_sealed(self, record: Record) -> None:
        """Take an encrypted record."""
        sender: RoleState = self.roles[record.role]
        parameters: Parameters = self.handshake.parameters
        unified: cython.bint = record.version == _UNIFIED
        known: Any = self.opening.tls13 if parameters.version == 0 else parameters.tls13
        if parameters.version == 0:
            self.opening.formats[1 if unified else 0] += 1
        if known is not None and known != unified:
            self.transport.strays += 1  # the version has no such records
        elif not unified and record.epoch > self.flights[record.role].epoch + self.sealed_epochs[record.role] + 1:
            self.transport.strays += 1  # each handshake has one epoch more
        elif not self.handshake.opens():
            if unified or not self.is_repeated(record, record.epoch, record.offset, False):
                self.count(sender, record)
        elif unified:
            self.open_unified(sender, record)
        else:
            self.open(sender, record)

    def open(self, sender: RoleState, record: Record) -> cython.bint:
        """Open a record up to DTLS 1.2. Returns whether it opened."""
        decryption: Decryption = self.handshake.decryption
        flight: Any = self.flights[sender.role]
        before = decryption.keys.reason, decryption.keys.detail
        if record.epoch > flight.epoch and (sender.role, record.epoch) not in self.opening.decryptors:
            known: cython.bint = self.opening.begin_keys(decryption, sender.role)
            if not known and sender.change_frame == 0 and self.changes[sender.role] is not None:
                decryption.active = False
                self.count(sender, record)
                return False
        try:
            opened = self.opening.open(decryption, record)
        except DecryptionError as error:
            self.fail(sender, record, record.epoch, error, before)
            return False
        if sender.change_frame == 0:
            self.take_change(sender, record)
        self.emit_opened(record, record.epoch, record.offset, opened[0], opened[1])
        self.go_on(sender, record)
        self.discard_doubtful(sender.role, record.epoch)
        if not self.is_repeated(record, record.epoch, record.offset, True):
            self.take_opened(sender, record, record.epoch, opened[0], opened[1])
        return True

    def open_unified(self, sender: RoleState, record: Record) -> cython.bint:
        """Open a record of DTLS 1.3: see `open`."""
        keys = self.handshake.decryption.keys
        before = keys.reason, keys.detail
        try:
            opened = self.opening.open_unified(self.handshake.decryption, record)
        except DecryptionError as error:
            self.fail(sender, record, self.opening.current[sender.role], error, before)
            return False
        self.emit_opened(record, opened[0], opened[1], opened[2], opened[3])
        self.handshake.decryption.early = opened[0] == 1
        sender.seals = True
        self.go_on(sender, record)
        self.discard_doubtful(sender.role, record.epoch)
        if not self.is_repeated(record, opened[0], opened[1], True):
            self.take_opened(sender, record, opened[0], opened[2], opened[3])
        return True

    def emit_opened(
        self, record: Record, epoch: cython.int, number: cython.longlong, content_type: cython.int, content: bytes
    ) -> None:
        """Emit what was in a protected record, if somebody looks at records."""
        if self.log.places:
            self.log.emit(RecordOpened(record.role, record.body, epoch, number, content_type, content, record.frame, record.at))

    def fail(self, sender: RoleState, record: Record, epoch: cython.int, error: Any, before: Any) -> None:
        """Take a record that does not open. It is somebody else's if others of its epoch open, also those that come later.

        before: what was wrong with the keys before this record.
        """
        if record.missing == 0:
            impossible: cython.bint = record.version == _UNIFIED and not self.may_have(sender.role, record.epoch)
            if impossible or (sender.role, epoch) in self.opening.proven:
                self.transport.strays += 1
                return
            if self.doubtful is not None:
                self.doubtful.append((record.copy(), error, before))
                if len(self.doubtful) >= MAX_DOUBTFUL:
                    self.believe_doubtful()
                return
        self.count_failed(record, error)

    def may_have(self, role: cython.int, bits: cython.int) -> cython.bint:
        """Return whether a role can send a record with these last bits of its epoch in DTLS 1.3 (RFC 9147 section 6.1)."""
        if self.opening.current[role] > 2 or bits > 1:
            return True
        return bits == 1 and role == _CLIENT and self.handshake.hellos.offers_early

    def discard_doubtful(self, role: cython.int, epoch: cython.int) -> None:
        """Discard the records that did not open, now that one of their role and epoch has opened."""
        if self.doubtful:
            kept: list[Any] = [one for one in self.doubtful if one[0].role != role or one[0].epoch != epoch]
            if len(kept) < len(self.doubtful):
                self.transport.strays += len(self.doubtful) - len(kept)
                keys = self.handshake.decryption.keys
                keys.reason, keys.detail = self.doubtful[0][2]
                self.doubtful = kept

    def believe_doubtful(self) -> None:
        """Count the records that did not open, of which no other of their epoch has opened, and all that follow."""
        doubtful: Any = self.doubtful
        self.doubtful = None
        for record, error, _ in doubtful or ():
            self.count_failed(record, error)

    def count_failed(self, record: Record, error: Any) -> None:
        """Count a record that no secret opens."""
        self.handshake.decryption.note_failure(record, error.reason, error.detail)
        if record.content_type == HANDSHAKE or (record.version == _UNIFIED and not is_early(record)):
            self.handshake.transcript.lose(record.role)
        self.count(self.roles[record.role], record)

    def count(self, sender: RoleState, record: Record) -> None:
        """Count a record that was not opened."""
        if record.version == _UNIFIED:
            self.count_unified(sender, record)
        else:
            epochs: Any = self.sealed_epochs
            epochs[record.role] = max(epochs[record.role], record.epoch - self.flights[record.role].epoch)
            if sender.change_frame == 0:
                self.take_change(sender, record)
            self.count_sealed(sender, record)
        self.go_on(sender, record)

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
            if record.content_type == _CID and record.offset == 0:  # its real type is encrypted
                self.transport.hidden[sender.role] += 1
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
        plain = [
            one.level
            for one in self.log.alerts
            if not (one.injected or self.roles[one.role].seals or self.roles[one.role].change_frame)
        ]
        return known or (False if FATAL in plain or self.transport.is_whole() else None)

    def has_ended(self) -> cython.bint:
        """Return whether both sides said that they end the session."""
        return self.roles[_CLIENT].ended > 0 and self.roles[_SERVER].ended > 0

    @property
    def whole(self) -> bool:
        """See `Session.whole`: nobody can tell it of datagrams."""
        return False

    def end_role(self, role: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        """Give up the messages that are not whole: the capture lacks them."""
        self.give_up(frame, at)
        Session.end_role(self, role, frame, at)

    def finish(self, frame: cython.longlong, at: cython.longlong) -> cython.bint:
        """Note that the flow has ended. A session that waited for its secrets was not told that its roles had ended."""
        role: cython.int
        if self.disputes is not None:
            judge_at_end(self)
        self.give_up(frame, at)
        self.believe_doubtful()
        for role in (_CLIENT, _SERVER):
            change: Any = self.changes[role]
            sender: RoleState = self.roles[role]
            if change is not None and sender.change_frame == 0 and not self.handshake.parameters.tls13:
                self.take_change(sender, change)
        Session.finish(self, frame, at)
        self.log.in_order()
        self.transport.end()
        return True
