"""The fields of DTLS: headers of records and fragments from the datagram, contents from the events of the engine.

A datagram is DTLS if its first byte is one of those that DTLS has (RFC 7983) and it begins with a whole record; with one of a
unified header only where its ends have sent a hello before. The messages have the fields of TLS (`message_values`) under the
name `dtls`, in the frame that completes them; fragments have their header in each frame. How long a connection ID is, the
hellos say.
"""

from collections import OrderedDict
from typing import Final

from analyzer.filters.frame_view import Found, FrameView
from analyzer.filters.message_values import read_values, with_sources
from analyzer.filters.packet_values import Occurrence
from analyzer.packet.addresses import reverse_key
from analyzer.packet.layer_places import KINDS
from analyzer.tls.dtls.datagram_records import DatagramRecords
from analyzer.tls.dtls.opened_record import RecordOpened
from analyzer.tls.dtls.record_headers import (
    ACK,
    END_OF_FIRST_BYTES,
    FIRST_BYTES,
    FRAGMENT_HEADER,
    TLS12_CID,
    UNIFIED,
)
from analyzer.tls.events import Alert, Data, HandshakeMessage, RecordEvent
from analyzer.tls.record.content_types import ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, HEARTBEAT
from analyzer.tls.record.record import Record

STREAMS_MAX: Final = 1 << 14
"""Directions whose session is remembered; beyond it the oldest is forgotten."""

_UDP: Final = KINDS.index("udp")
_HEADER: Final = 8
_LONGEST: Final = 1 << 16
_TLS: Final = "tls."
_SEALED: Final = {
    CHANGE_CIPHER_SPEC: "dtls.change_cipher_spec",
    ALERT: "dtls.alert_message",
    HANDSHAKE: "dtls.handshake",
    HEARTBEAT: "dtls.heartbeat_message",
}
"""What a protected record is up to DTLS 1.2, by its content type, where it is not opened."""


class DtlsFields:
    """The source of `dtls.*`."""

    def __init__(self) -> None:
        self._names: frozenset[str] | None = None
        self._datagrams = DatagramRecords()
        self._streams: OrderedDict[bytes, int] = OrderedDict()
        self._data = b""
        self._records: list[Record] = []

    def want(self, names: frozenset[str]) -> None:
        """See `Selective.want`."""
        self._names = with_sources(frozenset(name[1:] if name.startswith("dtls.") else name for name in names) | names)

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""
        self._records = []
        layers = view.layers
        for index in range(layers.count):
            if layers.kind(index) == _UDP:
                datagram = layers.behind(index, _LONGEST)
                if len(datagram) > _HEADER and FIRST_BYTES <= datagram[_HEADER] < END_OF_FIRST_BYTES:
                    length = int.from_bytes(datagram[4:6])
                    self._data = datagram[_HEADER : max(length, _HEADER) if length else None]
                    self._records = self._datagrams.split(self._data, layers.key(index))
                    if self._records:
                        self._note_stream(layers.key(index), view)
                return

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        found: Found = {}
        if not self._records:
            return found
        _add(found, "dtls", self._data, self._data)
        for key in (view.layers.packet.key(), reverse_key(view.layers.packet.key())):
            if key in self._streams:
                _add(found, "dtls.stream", self._streams[key])
                break
        pair = self._datagrams.association
        whole = [event for event in view.events if isinstance(event, HandshakeMessage) and event.body is not None]
        opened = {event.raw: event for event in view.events if isinstance(event, RecordOpened)}
        for record in self._records:
            _read_header(record, found)
            for raw in _read_content(record, opened.get(record.body), found):
                if len(raw) == 1:  # the type of a message of which this is one of several fragments
                    message = next((one for one in whole if one.type == raw[0]), None)
                    if message is not None:
                        whole.remove(message)
                else:
                    message = None if pair is None else pair.read(raw)
                if message is not None:
                    self._read_message(message, found)
        for message in whole:
            if pair is None or hash(message.raw) not in pair.seen:
                self._read_message(message, found)
        return found

    def _note_stream(self, key: bytes, view: FrameView) -> None:
        """Remember the session of two ends."""
        events = (event for event in view.events if isinstance(event, HandshakeMessage | Alert | Data | RecordEvent))
        number = next((event.session for event in events), None)
        if number is not None:
            self._streams.pop(reverse_key(key), None)
            self._streams[key] = number
            if len(self._streams) > STREAMS_MAX:
                self._streams.popitem(last=False)

    def _read_message(self, message: HandshakeMessage, found: Found) -> None:
        """Add a message that is whole, under the names of DTLS."""
        values: Found = {}
        read_values(message, values, self._names, "d")
        for name, occurrences in values.items():
            found.setdefault("d" + name if name.startswith(_TLS) else name, []).extend(occurrences)


def _add(found: Found, name: str, value: object, raw: bytes | None = None) -> None:
    found.setdefault(name, []).append(Occurrence(value, raw, 1))  # type: ignore[arg-type]


def _read_header(record: Record, found: Found) -> None:
    """Add the header of a record."""
    whole = record.body
    _add(found, "dtls.record", None, whole)
    if record.version == UNIFIED:
        _read_unified(record, found)
        return
    special = record.content_type == TLS12_CID
    _add(found, "dtls.record.special_type" if special else "dtls.record.content_type", record.content_type, whole[:1])
    _add(found, "dtls.record.version", record.version, whole[1:3])
    _add(found, "dtls.record.epoch", record.epoch, whole[3:5])
    _add(found, "dtls.record.sequence_number", record.offset, whole[5:11])
    if record.header > 13:
        _add(found, "dtls.record.connection_id", whole[11 : record.header - 2], whole[11 : record.header - 2])
    _add(found, "dtls.record.length", record.length, whole[record.header - 2 : record.header])


def _read_unified(record: Record, found: Found) -> None:
    """Add a header of DTLS 1.3 (RFC 9147 section 4)."""
    whole = record.body
    first = whole[0]
    _add(found, "dtls.unified_header.bitmask", first, whole[:1])
    _add(found, "dtls.unified_header.fixed", first >> 5, whole[:1])
    for name, bit in (("cid_present", 0x10), ("seq_size", 0x08), ("length", 0x04)):
        _add(found, f"dtls.unified_header.{name}", bool(first & bit), whole[:1])
    _add(found, "dtls.unified_header.epoch_bits", first & 3, whole[:1])
    end = record.header - (2 if first & 0x04 else 0)
    number = end - (2 if first & 0x08 else 1)
    if number > 1:
        _add(found, "dtls.record.connection_id", whole[1:number], whole[1:number])
    _add(found, "dtls.record.sequence_suffix", record.offset, whole[number:end])
    if first & 0x04:
        _add(found, "dtls.record.length", record.length, whole[end : record.header])


def _read_content(record: Record, opened: RecordOpened | None, found: Found) -> list[bytes]:
    """Add what is in a record. opened: what is known of it if it is protected.

    Return its handshake messages: one that is whole with the header of TLS, of a part of one the byte of its type.
    """
    body = record.body[record.header :]
    kind, content = record.content_type, body
    if record.epoch > 0 or record.version == UNIFIED:
        if opened is None:
            _read_sealed(record, body, found)
            return []
        kind, content = opened.content_type, opened.content
        if record.version == UNIFIED:
            bits = 0xFFFF if record.body[0] & 0x08 else 0xFF
            _add(found, "dtls.record.sequence_suffix_dec", opened.number & bits)
        elif record.content_type == TLS12_CID:
            _add(found, "dtls.record.content_type", kind)
    if kind == HANDSHAKE:
        return _read_fragments(content, found)
    if kind == ALERT:
        _add(found, "dtls.alert_message", None, content)
        if len(content) == 2:
            _add(found, "dtls.alert_message.level", content[0], content[:1])
            _add(found, "dtls.alert_message.desc", content[1], content[1:])
    elif kind == CHANGE_CIPHER_SPEC:
        _add(found, "dtls.change_cipher_spec", None, content)
    elif kind == APPLICATION_DATA:
        _add(found, "dtls.app_data", body, body)
    elif kind == HEARTBEAT:
        _add(found, "dtls.heartbeat_message", None, content)
    elif kind == ACK:
        _read_ack(content, found)
    return []


def _read_sealed(record: Record, body: bytes, found: Found) -> None:
    """Add what the header of a record that did not open says of its content."""
    if record.version == UNIFIED or record.content_type == TLS12_CID:
        _add(found, "dtls.enc_content", body, body)
    elif record.content_type == APPLICATION_DATA:
        _add(found, "dtls.app_data", body, body)
    elif record.content_type in _SEALED:
        _add(found, _SEALED[record.content_type], None, body)


def _read_ack(content: bytes, found: Found) -> None:
    """Add an ACK (RFC 9147 section 7): pairs of epoch and sequence number, of eight bytes each."""
    _add(found, "dtls.ack_message", None, content)
    length = int.from_bytes(content[:2])
    if length < 2 or length > len(content) - 2:
        return
    _add(found, "dtls.ack.record_numbers_length", length, content[:2])
    _add(found, "dtls.ack.record_numbers", None, content[2 : 2 + length])
    for pos in range(2, length - 13, 16):
        for name, start in (("epoch", pos), ("sequence_number", pos + 8)):
            octets = content[start : start + 8]
            _add(found, f"dtls.record.{name}", int.from_bytes(octets), octets)


def _read_fragments(body: bytes, found: Found) -> list[bytes]:
    """Add the headers of the fragments of handshake messages (RFC 9147 section 5.2); see `_read_content`."""
    pos = 0
    whole = []
    while len(body) - pos >= FRAGMENT_HEADER:
        header = body[pos : pos + FRAGMENT_HEADER]
        length = int.from_bytes(header[9:12])
        _add(found, "dtls.handshake", None, body[pos : pos + FRAGMENT_HEADER + length])
        _add(found, "dtls.handshake.type", header[0], header[:1])
        for name, start, end in (
            ("length", 1, 4),
            ("message_seq", 4, 6),
            ("fragment_offset", 6, 9),
            ("fragment_length", 9, 12),
        ):
            _add(found, f"dtls.handshake.{name}", int.from_bytes(header[start:end]), header[start:end])
        pos += FRAGMENT_HEADER + length
        if header[6:9] == b"\0\0\0" and header[1:4] == header[9:12] and pos <= len(body):
            whole.append(header[:4] + body[pos - length : pos])
        elif pos == len(body) or length:
            whole.append(header[:1])
    return whole
