"""Follows one QUIC connection: which packets are its own, whatever their addresses, and what its Initial packets say.

A connection is known by its connection IDs: each side chooses those under which it is reached, and can announce more of them at
any time (RFC 9000 section 5.1). Addresses can change: a client moves to another network, or an address translator gives it
another port (section 9). Initial packets are protected with keys that everybody can compute from the Destination Connection ID
of the client's first one; so they are opened here, and what does not authenticate changes nothing. A Retry makes the client
begin again, with an ID that the server chose (RFC 9001 section 5.2).
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from analyzer.flows.flow import Flow
from analyzer.secrets.quic_protection import OpenedPacket, PacketDecryptor, has_retry_tag, initial_decryptors
from analyzer.secrets.quic_versions import HANDSHAKE, INITIAL, ZERO_RTT, QuicVersion
from analyzer.tls.messages.numbers import TLS_1_2
from analyzer.tls.quic.frames import FrameTaker, read_frames
from analyzer.tls.quic.packet_headers import LongHeader, negotiated_versions
from analyzer.tls.quic.packet_opening import APPLICATION_LEVEL, EARLY_LEVEL, HANDSHAKE_LEVEL
from analyzer.tls.quic.quic_events import PacketSeen
from analyzer.tls.quic.stream_reassembly import Reassembly
from analyzer.tls.quic.transport_facts import MAX_LISTED, TransportFacts
from analyzer.tls.record import content_types
from analyzer.tls.record.record import NOTHING, Record, RecordSink, gap

if TYPE_CHECKING:
    import cython

MAX_IDS = 1024
"""Connection IDs of one connection that are known at a time, per role. The oldest ones are forgotten."""

MAX_KEYS = 4
"""Initial keys of one connection: of the first Initial, behind a Retry, and of another version."""

MAX_UNANSWERED = 64
"""Records that wait for the server's first answer."""

RESET_TOKEN = 16
"""Bytes of the token at the end of a stateless reset (RFC 9000 section 10.3)."""

_PREFERRED_ADDRESS, _RESET_TOKEN_PARAMETER = 0x0D, 0x02
_CLIENT, _SERVER, _BEFORE = 0, 1, 2
_ALERT, _APPLICATION_DATA, _HANDSHAKE_RECORD = content_types.ALERT, content_types.APPLICATION_DATA, content_types.HANDSHAKE
_LEVELS = {ZERO_RTT: EARLY_LEVEL, HANDSHAKE: HANDSHAKE_LEVEL}


class QuicConnection:
    """One connection.

    flow: of its first path. facts: what it shows. table: from each known connection ID to connection and role. sink: takes the
    records; None where another process reads the session. record: used again for each record. keys: by the connection ID from
    which they come and the version, the decryptors of Initial packets. crypto: by role, handshake bytes of Initial packets,
    and last the client's before a Retry.
    ids: by role, those under which it is reached; lengths: how long they are. tokens: of stateless resets, by role. flows:
    those on which it is now. closing: whether a CONNECTION_CLOSE was seen. last_frame, last_at: of the last packet. frames:
    takes the frames of Initial packets. unanswered: records that wait for the server's first answer, None behind it; void: the
    client's handshake bytes before a Retry. answered: whether an Initial of the server was opened.
    """

    __slots__ = (
        "answered", "closing", "crypto", "facts", "flow", "flows", "frames", "ids", "keys", "last_at", "last_frame", "lengths",
        "record", "session", "shard", "sink", "table", "tokens", "unanswered", "void",
    )  # fmt: skip

    def __init__(self, flow: Flow, version: QuicVersion, original_id: bytes, table: dict[bytes, Any]) -> None:
        self.flow = flow
        self.facts = TransportFacts(version.number, original_id)
        self.facts.add_path(flow.key, flow.first_frame)
        self.table = table
        self.session: Any = None
        self.sink: RecordSink = None  # type: ignore[assignment]  # until it is given
        self.shard = 0
        self.record: Record = Record(0)
        self.keys: dict[tuple[bytes, int], tuple[PacketDecryptor, PacketDecryptor]] = {}
        self.crypto = (Reassembly(), Reassembly(), Reassembly())
        self.ids: tuple[dict[bytes, None], dict[bytes, None]] = ({}, {})
        self.lengths: tuple[dict[int, None], dict[int, None]] = ({}, {})
        self.tokens: tuple[dict[bytes, None], dict[bytes, None]] = ({}, {})
        self.flows: list[Any] = []
        self.closing = False
        self.last_frame = flow.first_frame
        self.last_at = flow.start
        self.unanswered: list[Record] | None = []
        self.void: list[Record] = []
        self.answered = False
        self.frames = InitialFrames(self)

    def add_keys(self, version: QuicVersion, connection_id: bytes) -> tuple[PacketDecryptor, PacketDecryptor]:
        """Return the keys of Initial packets that come from this ID, which are kept."""
        found = self.keys.get((connection_id, version.number))
        if found is None:
            if len(self.keys) >= MAX_KEYS:
                del self.keys[next(islice(self.keys, 1, None))]  # those of the first Initial stay
            found = self.keys[connection_id, version.number] = initial_decryptors(version, connection_id)
        return found

    # Connection IDs.

    def add_id(self, role: cython.int, connection_id: bytes, listed: cython.bint = True) -> None:
        """Note an ID under which a role is reached. listed: whether that role chose it itself."""
        known = self.ids[role]
        if connection_id in known:
            return
        if len(known) >= MAX_IDS:
            oldest = next(iter(known))
            del known[oldest]
            self._forget(oldest)
        known[connection_id] = None
        if listed:
            self.lengths[role][len(connection_id)] = None
            self.facts.add_id(role, connection_id)
        if connection_id and connection_id not in self.table:
            self.table[connection_id] = (self, role)

    def learn(self, role: cython.int, connection_id: bytes, token: bytes) -> None:
        """Take an ID that a role announced, and the token of its stateless reset."""
        self.add_id(role, connection_id)
        if token:
            tokens = self.tokens[role]
            if len(tokens) >= MAX_IDS:
                del tokens[next(iter(tokens))]
            tokens[token] = None

    def take_parameters(self) -> None:
        """Take what the server's transport parameters announce: an address to move to, and a token of a stateless reset."""
        for parameter in getattr(self.facts.parameters[_SERVER], "transport_parameters", None) or ():
            if parameter.id == _PREFERRED_ADDRESS and hasattr(parameter.value, "connection_id"):
                self.learn(_SERVER, parameter.value.connection_id or b"", parameter.value.stateless_reset_token or b"")
            elif parameter.id == _RESET_TOKEN_PARAMETER and isinstance(parameter.value, bytes):
                self.tokens[_SERVER][parameter.value] = None

    def is_reset(self, role: cython.int, record: Record) -> cython.bint:
        """Return whether a packet that did not open is a stateless reset of a role. If so, it is noted."""
        body: bytes = record.body
        if len(body) < RESET_TOKEN or body[len(body) - RESET_TOKEN :] not in self.tokens[role]:
            return False
        if self.facts.reset is None:
            self.facts.reset = (role, record.frame)
        return True

    def leave(self) -> None:
        """Forget all IDs, at the end of the connection."""
        for known in self.ids:
            for connection_id in known:
                self._forget(connection_id)

    def _forget(self, connection_id: bytes) -> None:
        entry = self.table.get(connection_id)
        if entry is not None and entry[0] is self:
            del self.table[connection_id]

    # Packets.

    def take_initial(
        self, role: cython.int, header: LongHeader, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t,
        frame: cython.longlong, at: cython.longlong,
    ) -> cython.bint:  # fmt: skip
        """Take an Initial packet, which begins at `start` of `data`. Return whether it is one of this connection."""
        version = header.quic
        if version is None or header.end > end:
            return False
        opened: OpenedPacket | None = None
        decryptor: PacketDecryptor
        opens: tuple[bytes, int] = (b"", 0)
        for opens, pair in self.keys.items():
            if opens[1] == version.number:
                decryptor = pair[role]
                opened = decryptor.open(data, start, header.number_at, header.end)
                if opened is not None:
                    break
        if opened is None and not self.answered and header.version not in self.facts.versions:
            # A client takes another version behind a Version Negotiation, a server where both know it (RFC 9368).
            opens = (header.destination if role == _CLIENT else self.facts.original_id, version.number)
            decryptor = initial_decryptors(version, opens[0])[role]
            opened = decryptor.open(data, start, header.number_at, header.end)
            if opened is not None:
                self.add_keys(version, opens[0])
        if opened is None:
            return False
        if role == _SERVER and opens == (self.facts.original_id, self.facts.versions[0]):
            self.go_on()
        self.facts.add_version(version.number)
        self.add_id(role, header.source)
        if role == _CLIENT:
            self.add_id(_SERVER, header.destination, header.destination != self.facts.original_id)
        self.note(frame, at)
        self.facts.last = (frame, at)
        if not self.facts.sent[role][0].seen.has(opened.number):
            self.facts.n_packets[role][0] += 1
            self.facts.sent[role][0].seen.add(opened.number, opened.number)
        self.answered = self.answered or role == _SERVER
        if self.session is not None and self.session.log.events is not None:
            number_at, length = header.number_at - start, header.end - start
            self.session.log.emit(PacketSeen(0, role, opened, data[start : header.end], number_at, length, frame, at))
        self.frames.begin(role, frame, at)
        read_frames(opened.plaintext, self.frames)
        if self.answered and self.unanswered is not None and self.crypto[_CLIENT].next > 0:
            self.release()
        return True

    def take_retry(self, header: LongHeader, packet: bytes, frame: cython.longlong, at: cython.longlong) -> None:
        """Take a Retry. One whose tag is wrong changes nothing."""
        version = header.quic
        if version is None or self.crypto[_SERVER].next > 0 or len(self.facts.retries) >= MAX_LISTED:
            return
        if has_retry_tag(version, self.facts.original_id, packet):
            self.facts.retries.append(frame)
            self.add_keys(version, header.source)
            self.add_id(_SERVER, header.source)
            self.note(frame, at)
            self.facts.last = (frame, at)
            self.begin_again()

    def take_negotiation(self, header: LongHeader, data: bytes, frame: cython.longlong, at: cython.longlong) -> None:
        """Take a Version Negotiation packet. Nothing protects it: it counts where it echoes the IDs of the client's Initial."""
        offered = negotiated_versions(data, header)
        unanswered = self.crypto[_SERVER].next == 0
        if header.source == self.facts.original_id and unanswered and self.facts.versions[0] not in offered:
            self.facts.offered = offered
            self.facts.negotiated = frame
            self.note(frame, at)
            self.facts.last = (frame, at)
            self.begin_again()

    def take_protected(
        self, role: cython.int, header: LongHeader, data: bytes, start: cython.Py_ssize_t, end: cython.Py_ssize_t,
        frame: cython.longlong, at: cython.longlong,
    ) -> None:  # fmt: skip
        """Take a Handshake or 0-RTT packet."""
        level = _LEVELS.get(header.type)
        if level is None or (level == EARLY_LEVEL and role != _CLIENT):
            return
        if level == HANDSHAKE_LEVEL and role == _SERVER and len(self.lengths[_SERVER]) == 0:
            self.add_id(_SERVER, header.source)  # its Initial, which says the same, is not in the capture
        self.pass_on(role, level, header.version, data, start, header.number_at, header.end, end, frame, at)

    def take_short(
        self,
        role: cython.int,
        data: bytes,
        start: cython.Py_ssize_t,
        number_at: cython.Py_ssize_t,
        end: cython.Py_ssize_t,
        missing: cython.Py_ssize_t,
        frame: cython.longlong,
        at: cython.longlong,
    ) -> None:
        """Take a 1-RTT packet. number_at: behind its connection ID. missing: bytes that the snapshot length removed."""
        if self.crypto[_SERVER].next == 0 and not self.facts.versions:
            return
        self.facts.spins[role] |= 1 << (data[start] >> 5 & 1)
        version = self.facts.version
        self.pass_on(role, APPLICATION_LEVEL, version, data, start, number_at, end + missing, end, frame, at)

    def pass_on(
        self, role: cython.int, level: cython.int, version: cython.longlong, data: bytes, start: cython.Py_ssize_t,
        number_at: cython.Py_ssize_t, stop: cython.Py_ssize_t, end: cython.Py_ssize_t, frame: cython.longlong,
        at: cython.longlong,
    ) -> None:  # fmt: skip
        """Pass on a packet whose protection is not that of Initial packets. stop: where it ends; end: where the bytes end."""
        self.note(frame, at)
        sink: RecordSink = self.sink
        if sink is None:
            return
        record: Record = self.record
        record.role = role
        record.content_type = _APPLICATION_DATA
        record.version = TLS_1_2
        record.offset = version  # which needs more bits than that of a record
        record.epoch = level
        record.length = stop - start
        record.missing = max(0, stop - end)
        record.header = number_at - start
        record.frame = frame
        record.at = at
        wanted = self.unanswered is not None or sink.wants(role, _APPLICATION_DATA) != NOTHING
        record.body = data[start : min(stop, end)] if wanted else b""
        self.deliver(record)

    def tell(
        self, role: cython.int, content_type: cython.int, body: bytes, frame: cython.longlong, at: cython.longlong
    ) -> None:
        """Pass on handshake bytes of Initial packets, or a CONNECTION_CLOSE in one: its code in 8 bytes, a flag, its reason."""
        if self.sink is None:
            return
        record: Record = self.record
        record.role = role
        record.content_type = content_type
        record.version = TLS_1_2
        record.epoch = 0
        record.body = body
        record.length = len(body)
        record.missing = 0
        record.header = 0
        record.offset = 0
        record.frame = frame
        record.at = at
        self.deliver(record)

    def deliver(self, record: Record) -> None:
        """Give a record to the session. Before the server has answered, it waits, because a Retry can make it void."""
        if self.sink is None:
            return
        if self.unanswered is not None:
            self.unanswered.append(record.copy())
            if len(self.unanswered) > MAX_UNANSWERED:
                self.release()
            return
        self.sink.take(record)

    def release(self) -> None:
        """Give the session the records that waited for the server's answer."""
        waiting, self.unanswered = self.unanswered or [], None
        void, self.void = self.void, []
        again = [one for one in waiting if one.content_type == _HANDSHAKE_RECORD and one.role == _CLIENT]
        if void and (not again or joined(void) == joined(again)):  # it stands once
            waiting = [*void, *[one for one in waiting if one.content_type != _HANDSHAKE_RECORD or one.role == _SERVER]]
        # What answers the ClientHello can stand before it in the capture.
        first = [one for one in waiting if one.content_type == _HANDSHAKE_RECORD and one.role == _CLIENT]
        rest = [one for one in waiting if one.content_type != _HANDSHAKE_RECORD or one.role == _SERVER]
        for record in (*first, *rest):
            self.deliver(record)

    def begin_again(self) -> None:
        """Forget the client's handshake bytes: behind a Retry or Version Negotiation it sends a ClientHello again.

        It has to be the same one behind a Retry (RFC 9000 section 17.2.5.2), but there are clients that make a new one.
        """
        if self.unanswered is not None:
            if not self.void:
                self.void = [one for one in self.unanswered if one.content_type == _HANDSHAKE_RECORD]
                self.crypto = (self.crypto[_BEFORE], self.crypto[_SERVER], self.crypto[_CLIENT])
            self.unanswered = [one for one in self.unanswered if one.content_type != _HANDSHAKE_RECORD]
            self.crypto[_CLIENT].reset()

    def go_on(self) -> None:
        """Disbelieve a Retry and a Version Negotiation: the server has answered what was sent before them.

        Whoever sees the client's first Initial can make them.
        """
        self.facts.retries.clear()
        self.facts.offered = None
        self.facts.negotiated = 0
        if self.void and self.unanswered is not None:
            again = self.crypto[_CLIENT]
            self.crypto = (self.crypto[_BEFORE], self.crypto[_SERVER], again)
            sent = [one for one in self.unanswered if one.content_type == _HANDSHAKE_RECORD and one.role == _CLIENT]
            rest = [one for one in self.unanswered if one.content_type != _HANDSHAKE_RECORD or one.role != _CLIENT]
            self.unanswered = [*self.void, *rest]
            self.void = []
            first: Reassembly = self.crypto[_CLIENT]
            more = b"".join([first.feed(offset, data) for offset, data in [(0, joined(sent)), *again.pieces()]])
            if more:
                self.tell(_CLIENT, _HANDSHAKE_RECORD, more, self.last_frame, self.last_at)

    def finish(self, frame: cython.longlong, at: cython.longlong) -> None:
        """Give up the holes in the handshake bytes of Initial packets, at the end."""
        self.release()
        for role in (_CLIENT, _SERVER):
            stream = self.crypto[role]
            while stream.waiting > 0:
                self.skip(role, frame, at)

    def skip(self, role: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        """Give up the first hole in the handshake bytes of a role's Initial packets, and pass on what is behind it."""
        stream = self.crypto[role]
        offset = stream.next
        length, data = stream.skip()
        if self.sink is not None:
            missing = gap(role, offset, length, frame)
            missing.at = at
            self.deliver(missing)
        self.tell(role, _HANDSHAKE_RECORD, data, frame, at)

    def note(self, frame: cython.longlong, at: cython.longlong) -> None:
        """Note the last packet."""
        self.last_frame = frame
        self.last_at = at


def joined(records: list[Record]) -> bytes:
    """Return the bodies of records, one behind the other."""
    return b"".join([one.body for one in records])


class InitialFrames(FrameTaker):
    """Gets the frames of Initial packets. role, frame, at: of the packet."""

    __slots__ = ("at", "connection", "frame", "role")

    def __init__(self, connection: QuicConnection) -> None:
        self.connection = connection
        self.role = 0
        self.frame = 0
        self.at = -1

    def begin(self, role: cython.int, frame: cython.longlong, at: cython.longlong) -> None:
        """Begin a packet."""
        self.role, self.frame, self.at = role, frame, at

    def take_ack(self, ranges: list[Any], ecn: Any) -> None:
        """See `FrameTaker.take_ack`."""
        self.connection.facts.take_ack(self.role, 0, ranges, ecn)

    def take_crypto(self, offset: cython.longlong, data: bytes) -> None:
        """See `FrameTaker.take_crypto`."""
        stream: Reassembly = self.connection.crypto[self.role]
        ready: bytes = stream.feed(offset, data)
        if ready:
            self.connection.tell(self.role, _HANDSHAKE_RECORD, ready, self.frame, self.at)
        while stream.overflows:
            self.connection.skip(self.role, self.frame, self.at)

    def take_close(self, code: cython.longlong, application: cython.bint, reason: bytes) -> None:
        """See `FrameTaker.take_close`."""
        body = code.to_bytes(8, "big") + (b"\1" if application else b"\0") + reason
        self.connection.tell(self.role, _ALERT, body, self.frame, self.at)


def opens_connection(header: LongHeader, data: bytes, start: cython.Py_ssize_t) -> cython.bint:
    """Return whether a packet is the Initial of a client with handshake bytes: only that begins a connection."""
    if header.quic is None or header.type != INITIAL:
        return False
    client, _ = initial_decryptors(header.quic, header.destination)
    client.attempts = 0
    opened = client.open(data, start, header.number_at, header.end)
    if opened is None:
        return False
    found = _FindsCrypto()
    return read_frames(opened.plaintext, found) == "" and found.any


class _FindsCrypto(FrameTaker):
    """Notes whether there are handshake bytes."""

    __slots__ = ("any",)

    def __init__(self) -> None:
        self.any = False

    def take_crypto(self, offset: cython.longlong, data: bytes) -> None:
        """See `FrameTaker.take_crypto`."""
        self.any = self.any or len(data) > 0
