"""One session whose transport is QUIC: the handshake of TLS 1.3 in CRYPTO frames, and data in streams (RFC 9001 section 4).

The connection (`quic_connection.py`) opens Initial packets, which need no secret, and hands over their handshake bytes in
records. It hands over all other packets as they are, and they are opened here; so a queue of records (`pending.py`) can keep
them until there are secrets. Handshake bytes then go through the same code as those of TLS over TCP. There are no records in
QUIC, no ChangeCipherSpec, no EndOfEarlyData and no KeyUpdate, and an alert is the code of a CONNECTION_CLOSE.

Only packets that authenticate say something. One that no key opens, where others of its level open, is somebody else's: it is
counted, and changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.flows.flow import Flow
from analyzer.secrets.decryption_error import MISSING_SEGMENT, WRONG_SECRET
from analyzer.secrets.quic_protection import OpenedPacket, PacketDecryptor
from analyzer.secrets.quic_versions import VERSIONS, QuicVersion
from analyzer.tls.decryption.decryption import Decryption
from analyzer.tls.decryption.key_material import KEY_UPDATE_MISSED, MISSING_LABEL, NO_SECRET, KeyMaterial
from analyzer.tls.establishment import is_completed
from analyzer.tls.events import Alert, Event, record_event
from analyzer.tls.handshake.resumption import Resumptions
from analyzer.tls.handshake.states import RoleState, State
from analyzer.tls.messages.numbers import TLS_1_3
from analyzer.tls.quic.crypto_levels import CryptoLevels, end_levels, skip_bytes
from analyzer.tls.quic.packet_contents import CRYPTO_ERRORS, PacketContents
from analyzer.tls.quic.packet_opening import APPLICATION_LEVEL, EARLY_LEVEL, HANDSHAKE_LEVEL, PacketOpening
from analyzer.tls.quic.quic_events import GUESSED, UNCOUNTED, VERSION_BITS, VERSION_MASK, PacketSeen
from analyzer.tls.quic.repeated_hello import begin_handshake_again
from analyzer.tls.quic.stream_data import StreamData
from analyzer.tls.quic.transport_facts import Close, Sent, TransportFacts
from analyzer.tls.quic.transport_rules import transport_problems
from analyzer.tls.record.content_types import ALERT, APPLICATION_DATA, HANDSHAKE
from analyzer.tls.record.record import AGAIN, BODY, FACT, GAP, NOTHING, Record
from analyzer.tls.session import Session
from analyzer.tls.session_log import FATAL, ROLES

if TYPE_CHECKING:
    import cython

MAX_HELD = 64
"""Packets that wait for the ServerHello and the EncryptedExtensions, without which their content cannot be understood."""

MAX_STRAYS_IN_A_ROW = 32
"""So many packets of a role in a row that do not open are no strays: its keys are not known any more."""

_CLIENT, _CONNECTED = 0, int(State.CONNECTED)
_EARLY_LEVEL, _HANDSHAKE_LEVEL, _APPLICATION_LEVEL = EARLY_LEVEL, HANDSHAKE_LEVEL, APPLICATION_LEVEL


class QuicSession(Session):
    """One session over QUIC.

    connection: told of new connection IDs, None after the end; has the method `learn`. opening: the keys. crypto: the
    handshake bytes of each level. contents: gets the frames of the packet that was opened last. streams: None before there are
    secrets. held: packets that wait for what is before them in the handshake. strays: by role, packets in a row that did not
    open. accepts_early: whether the server accepted early data. doubtful: packets that did not open, of levels of which none
    has opened so far.
    """

    __slots__ = ("accepts_early", "connection", "contents", "crypto", "doubtful", "held", "opening", "strays", "streams")

    def __init__(
        self, number: cython.longlong, flow: Flow, material: KeyMaterial, resumptions: Resumptions,
        events: list[Event] | None = None, keeps_fields: cython.bint = True, places: cython.bint = True,
    ) -> None:  # fmt: skip
        """See `Session`."""
        Session.__init__(self, number, flow, material, resumptions, events, keeps_fields, places)
        self.connection: Any = None
        self.opening = PacketOpening()
        self.crypto = CryptoLevels(self.log.places)
        self.contents = PacketContents(self)
        self.contents.count(flow.first_frame, flow.start)
        self.streams: StreamData | None = None
        self.held: list[Record] | None = []
        self.strays = [0, 0]
        self.accepts_early = False
        self.doubtful: list[Record] = []

    def begin_transport(self, facts: TransportFacts, connection: Any) -> None:
        """Note what the connection shows, and whom to tell about its IDs."""
        self.transport = facts
        self.contents.facts = facts
        self.connection = connection

    def wants(self, role: cython.int, content_type: cython.int) -> cython.int:
        """See `RecordSink.wants`. Packets are needed only where there are secrets, or a listener that shows them."""
        return BODY if self.handshake.decryption is not None or self.log.events is not None else NOTHING

    def take(self, record: Record) -> None:
        """Take handshake bytes of Initial packets, an alert in one, or a packet with another protection."""
        if record.content_type == APPLICATION_DATA:
            self.take_protected(record)
        elif record.content_type == HANDSHAKE:
            self.take_handshake(record.role, record.body, record.frame, record.at, 0)
            self.release(record.frame, record.at)
        elif record.content_type == ALERT:
            code = int.from_bytes(record.body[:8], "big")
            application: cython.bint = record.body[8] != 0
            self.take_close(Close(record.role, record.frame, record.at, code, application, record.body[9:]))
            self.review_close(record.role)  # behind 1-RTT packets, Initial packets are not used (RFC 9001 section 4.9.1)
        elif record.content_type == FACT:
            self.log.add_finding(record.problem, "high", record.second.decode(), record.frame)
        elif record.content_type == AGAIN:
            begin_handshake_again(self)
        elif record.content_type == GAP:
            skip_bytes(self, record.role, 0, record.length, record.offset, record.frame, record.at)
        self.kept = self.handshake.kept + (0 if self.streams is None else self.streams.waiting)

    def take_handshake(
        self, role: cython.int, data: bytes, frame: cython.longlong, at: cython.longlong, level: cython.int
    ) -> None:
        """Take the next handshake bytes of a role and level."""
        self.contents.count(frame, at)
        data = self.crypto.aligned(level, role, data)
        if len(data) == 0:
            return
        handshake = self.handshake
        handshake.readers = self.crypto.readers[level]
        decrypted: cython.bint = level > 0
        handshake.decrypting = decrypted
        if decrypted:
            sender: RoleState = self.roles[role]
            sender.encrypted_finished_seen = True
            if level == _APPLICATION_LEVEL and sender.state != _CONNECTED:
                handshake.miss(role)  # what comes before it, and has keys of its own
        known: cython.bint = handshake.hellos.server_seen
        handshake.take(role, data, 0, -1, frame, at)
        handshake.decrypting = False
        if handshake.hellos.server_seen and not known:
            self.opening.forget(self.handshake.hellos.transport)
            if self.connection is not None and self.transport.close is not None:
                self.connection.closing = self.transport.close.encrypted
        if role != _CLIENT and decrypted:
            self.take_extensions()

    def take_close(self, close: Close) -> None:
        """Take a CONNECTION_CLOSE. A code of the handshake is an alert (RFC 9001 section 4.8).

        It is sent again for packets that come behind it: then it says nothing new.
        """
        self.transport.add_close(close)
        self.contents.count(close.frame, close.at)
        if self.connection is not None:
            self.connection.closing = close.encrypted or not self.handshake.hellos.server_seen
        if not close.application and CRYPTO_ERRORS <= close.code < CRYPTO_ERRORS + 256:
            alert: Alert = Alert(FATAL, close.code - CRYPTO_ERRORS, close.role, close.frame, close.at)
            alert.encrypted = close.encrypted
            said = [(one.role, one.description, one.encrypted) for one in self.log.alerts]
            if (alert.role, alert.description, alert.encrypted) not in said:
                self.log.add_alert(alert)

    def review_close(self, role: cython.int) -> None:
        """Disbelieve a CONNECTION_CLOSE in an Initial whose sender has sent a 1-RTT packet behind it, and the client too."""
        close = self.transport.close
        if close is None or close.encrypted or close.role != role:
            return
        doubted: cython.bint = self.connection is not None and self.connection.answers.doubted  # whose ServerHello is not known
        goes_on: cython.bint = doubted and self.roles[0].n_application > 0 and self.roles[1].n_application > 0
        if goes_on or self.roles[_CLIENT].n_protected > 0:
            self.transport.close = None
            self.log.disbelieve_alert(role, close.frame)

    def take_extensions(self) -> None:
        """Use the EncryptedExtensions, once they came: the protocol, the answer to early data, an address to move to."""
        handshake = self.handshake
        if self.transport.parameters[1] is not None or handshake.parameters.agreed is None:
            return
        self.transport.parameters = list(handshake.hellos.transport)
        self.opening.forget(self.transport.parameters)
        self.accepts_early = handshake.transcript.early
        handshake.transcript.early = False  # there is no EndOfEarlyData (RFC 9001 section 8.3)
        if self.connection is not None:
            self.connection.take_parameters()
        if self.streams is not None:
            self.streams.alpn = handshake.parameters.alpn
            self.streams.parameters = self.transport.parameters
            self.streams.settle_early(self.accepts_early)

    def is_ready(self, level: cython.int) -> cython.bint:
        """Return whether what comes before packets of this level in the handshake has come."""
        if level == _EARLY_LEVEL:
            return self.handshake.hellos.client_seen
        return self.handshake.hellos.server_seen and (level == _HANDSHAKE_LEVEL or self.handshake.parameters.agreed is not None)

    def release(self, frame: cython.longlong, at: cython.longlong) -> None:
        """Take the held packets that need not wait any longer."""
        if not self.held:
            return
        record: Record
        held, self.held = self.held, []
        for record in held:
            if self.is_ready(record.epoch):
                self.open_packet(record)
            else:
                self.held.append(record)

    def take_protected(self, record: Record) -> None:
        """Take a packet that is protected with other keys than those of Initial packets."""
        if record.problem == GUESSED:
            self.take_guessed(record)
            return
        sender: RoleState = self.roles[record.role]
        sender.seals = True
        if self.handshake.decryption is None:
            self.count_sealed(sender, record)
            return
        if self.held is not None and record.epoch == _APPLICATION_LEVEL and len(self.held) == 0 and self.is_ready(record.epoch):
            self.held = None  # nothing waits from here on
        if self.held is not None and not self.is_ready(record.epoch):
            if len(self.held) < MAX_HELD:
                self.held.append(record.copy())
                return
            held, self.held = self.held, None  # what they wait for is not in the capture
            for earlier in held:
                self.open_packet(earlier)
        self.open_packet(record)

    def take_guessed(self, record: Record) -> None:
        """Take a packet that may be of another connection. It counts if it opens, and changes nothing if not."""
        decryptor: PacketDecryptor = self.opening.proven[2 * record.epoch + record.role]  # type: ignore[assignment]
        if decryptor is not None and decryptor.fits(record.body, record.header):
            record.problem = ""
            self.take_protected(record)

    def count_sealed(self, sender: RoleState, record: Record) -> None:
        """Count a packet that is not opened. What is behind the handshake counts as application data.

        One without a connection ID that only the peer knows can be anybody's: it is not counted.
        """
        self.emit_packet(record, None)
        if record.problem != "":
            return
        self.contents.count(record.frame, record.at)
        if record.epoch == _APPLICATION_LEVEL and self.opening.proven[2 * _APPLICATION_LEVEL + record.role] is None:
            self.transport.hear(record.role, record.second, record.frame)
        if record.epoch != _HANDSHAKE_LEVEL:
            sender.n_application += 1
            sender.n_bytes += record.length
        if record.epoch == _APPLICATION_LEVEL and self.handshake.hellos.server_seen:
            sender.n_protected += 1
        if record.epoch == _APPLICATION_LEVEL:
            self.review_close(record.role)
        if record.epoch != _EARLY_LEVEL:
            sender.lose()

    def emit_packet(self, record: Record, opened: OpenedPacket | None) -> None:
        """Emit the events of a protected packet. opened: None if it was not opened."""
        if self.log.events is None:
            return
        level: cython.int = record.epoch
        self.log.emit(
            PacketSeen(level, record.role, opened, record.body, record.header, record.length, record.frame, record.at)
        )
        if record.epoch != _HANDSHAKE_LEVEL:
            self.log.emit(record_event("application_data", record.role, record.length, record.frame, record.at))
        elif opened is None:
            self.log.emit(record_event("encrypted_handshake", record.role, record.length, record.frame, record.at))

    def open_packet(self, record: Record) -> None:
        """Open a packet and take its frames."""
        role: cython.int = record.role
        level: cython.int = record.epoch
        place: cython.int = 2 * level + role
        decryption: Decryption = self.handshake.decryption
        sender: RoleState = self.roles[role]
        facts: TransportFacts = self.contents.facts
        if record.missing > 0:
            self.fail(sender, record, MISSING_SEGMENT, f"{record.missing} bytes of the packet")
            return
        opened: OpenedPacket
        decryptor: PacketDecryptor = self.opening.proven[place]  # type: ignore[assignment]
        if decryptor is not None:
            opened = decryptor.open(record.body, 0, record.header, len(record.body))  # type: ignore[assignment]
        else:
            version: QuicVersion = VERSIONS[record.offset & VERSION_MASK]
            opened = self.opening.open(decryption, version, level, role, record.body, record.header)
        if opened is None:
            self.judge_failure(sender, record)
            return
        if decryptor is None and self.opening.found is not None:
            self.take_found()
        self.strays[role] = 0
        if len(self.opening.lost) > 0:
            self.count_strays(place)
        self.contents.count(record.frame, record.at)
        if record.second is not self.contents.path:
            self.contents.path = record.second
            facts.add_path(record.second, record.frame)
        sent: Sent = facts.sent[4 * role + (_APPLICATION_LEVEL if level == _EARLY_LEVEL else level)]
        if sent.seen.has(opened.number):  # the same packet again: on the path, or in the capture
            self.emit_packet(record, opened)
            return
        sent.seen.add(opened.number, opened.number)
        decryption.records += 1
        if level == _EARLY_LEVEL:
            sent = facts.sent[4 * role + level]
        sent.count += 1
        if level != _HANDSHAKE_LEVEL:
            sender.n_application += 1
            sender.n_bytes += record.length
        if level == _APPLICATION_LEVEL:
            sender.n_protected += 1
            if record.offset >> VERSION_BITS > 0:
                facts.marks.see(role, record.body[0], (record.offset >> VERSION_BITS) - UNCOUNTED)
            if opened.generation > 0:
                facts.take_update(role, opened.generation, record.frame)
        if self.streams is None:
            self.streams = StreamData(decryption, self.log)
            self.streams.alpn = self.handshake.parameters.alpn
            self.streams.parameters = facts.parameters
            self.contents.streams = self.streams
        self.emit_packet(record, opened)
        self.contents.read(opened, role, level, record.frame, record.at)

    def judge_failure(self, sender: RoleState, record: Record) -> None:
        """Take a packet that no key opens: it is a stateless reset, somebody else's, or one whose secret is not known."""
        role: cython.int = record.role
        level: cython.int = record.epoch
        decryption: Decryption = self.handshake.decryption
        keys = decryption.keys
        if level == _APPLICATION_LEVEL and self.connection is not None and self.connection.is_reset(role, record):
            return
        hellos = self.handshake.hellos
        if level == _EARLY_LEVEL and hellos.client_whole and not hellos.offers_early:
            self.transport.strays += 1
            return
        if self.opening.proven[2 * level + role] is not None:
            self.transport.strays += 1
            self.strays[role] += 1
            if self.strays[role] > MAX_STRAYS_IN_A_ROW and level == _APPLICATION_LEVEL:
                self.lose(record, KEY_UPDATE_MISSED, f"packets of the {ROLES[role]} up to frame {record.frame}")
            return
        if level == _EARLY_LEVEL:
            keys.note_early()
            self.fail(sender, record, MISSING_LABEL, "")
        elif self.opening.has_secret(level, role) and len(self.doubtful) < MAX_HELD:
            self.doubtful.append(record.copy())  # the first packet that opens will show whose this one is
        elif self.opening.has_secret(level, role):
            self.lose(record, WRONG_SECRET, f"a packet of the {ROLES[role]} in frame {record.frame}")
        elif keys.reason is None:
            self.fail(sender, record, NO_SECRET, "")
        else:
            self.fail(sender, record, keys.reason, keys.detail)

    def lose(self, record: Record, reason: str, detail: str) -> None:
        """Count a packet that fails at the end, if none opens until then that shows it to be somebody else's."""
        place: cython.int = 2 * record.epoch + record.role
        last: Record = record.copy()
        last.body = b""
        count: cython.Py_ssize_t = 1
        if place in self.opening.lost:
            known: Record = self.opening.lost[place][0]
            last.length += known.length
            count += self.opening.lost[place][1]
        self.opening.lost[place] = (last, count, reason, detail)

    def count_strays(self, place: cython.int) -> None:
        """Count what did not open of a level and role as somebody else's: another packet has opened. A row is counted."""
        if place in self.opening.lost:
            _, count, reason, _ = self.opening.lost.pop(place)
            self.transport.strays += count if reason == WRONG_SECRET else 0

    def count_lost(self) -> None:
        """Let the packets fail that nothing has shown to be somebody else's."""
        record: Record
        for record, count, reason, detail in self.opening.lost.values():
            sender: RoleState = self.roles[record.role]
            self.fail(sender, record, reason, detail)
            self.handshake.decryption.failed += count - 1
            if record.epoch != _HANDSHAKE_LEVEL:
                sender.n_application += count - 1
        self.opening.lost = {}

    def fail(self, sender: RoleState, record: Record, reason: str, detail: str) -> None:
        """Count a packet that was not opened, and note why."""
        decryption: Decryption = self.handshake.decryption
        if record.epoch != _EARLY_LEVEL or self.opening.has_secret(_EARLY_LEVEL, 0):
            decryption.keys.note(reason, detail)
        if not decryption.active and decryption.records == 0 and decryption.keys.version:
            self.count_sealed(sender, record)  # there is no secret of this session
            return
        decryption.failed += 1
        if record.epoch == _HANDSHAKE_LEVEL:
            self.handshake.miss(record.role)
        self.count_sealed(sender, record)

    def take_found(self) -> None:
        """Use the suite that opened a packet, although the ServerHello is not in the capture."""
        found = self.opening.found
        self.opening.found = None
        keys = self.handshake.decryption.keys
        parameters = self.handshake.parameters
        if found is None or keys.suite is not None:
            return
        keys.trial = "the ServerHello is not in the capture: the secrets were found by trying those of the key log on packets"
        keys.suite, keys.cipher_suite = found
        keys.version, keys.tls13 = TLS_1_3, True
        parameters.version = self.log.version = TLS_1_3
        parameters.tls13 = True
        parameters.suite, parameters.cipher_suite = found
        self.handshake.transcript.lose(1)
        self.handshake.decryption.schedule13.agree(b"")
        self.opening.forget(self.handshake.hellos.transport)

    @property
    def established(self) -> bool | None:
        """See `Session.established`. A client has 1-RTT packets only after both Finished (RFC 9001 section 5.7)."""
        if self.transport.n_packets(_CLIENT, _APPLICATION_LEVEL) > 0:
            return True
        handshake = self.handshake
        return is_completed(self.flow, self.log, handshake.hellos, handshake.parameters, self.roles[0], self.roles[1])

    def end_role(self, role: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        """Give up the holes in the handshake bytes of a role: the capture lacks them."""
        end_levels(self, role, frame, at)
        Session.end_role(self, role, frame, at)

    def finish(self, frame: cython.longlong, at: cython.longlong) -> cython.bint:
        """Note that the connection has ended."""
        record: Record
        held, self.held = self.held, None
        for record in held or ():
            self.open_packet(record)
        for record in self.doubtful:
            place: cython.int = 2 * record.epoch + record.role
            if self.opening.proven[place] is not None:
                self.transport.strays += 1
            else:
                detail = f"a packet of the {ROLES[record.role]} in frame {record.frame}"
                self.fail(self.roles[record.role], record, WRONG_SECRET, detail)
        self.doubtful = []
        self.count_lost()
        if self.transport.parameters[0] is None:
            self.transport.parameters = list(self.handshake.hellos.transport)
        for code, severity, problem in transport_problems(self.transport, self.handshake.parameters.suite):
            self.log.add_finding(code, severity, problem, self.flow.first_frame)
        for role in range(2):
            end_levels(self, role, frame, at)
        if self.streams is not None:
            self.streams.settle_early(True)
            self.streams.finish(frame, at)
        self.connection = None
        self.contents.session = None
        self.contents.streams = None  # type: ignore[assignment]
        self.streams = None
        frame, at = max((self.contents.counted_frame, self.contents.counted_at), self.transport.last)
        return Session.finish(self, frame, at)
