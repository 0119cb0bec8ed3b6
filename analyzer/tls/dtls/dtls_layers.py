"""Builds the DTLS layers of one datagram: its records with their headers, the fragments and messages in them, alerts and ACKs.

Header fields stand where they are in the datagram. What was encrypted has byte numbers of its own, from the beginning of the
content of its record. A message in several fragments is shown with the one that completes it.
"""

from collections.abc import Iterator, Sequence

from analyzer.codec.field_tables import spans
from analyzer.codec.registry import registry
from analyzer.packet.field_tree import Field, Layer
from analyzer.tls.dtls.datagram_records import Association
from analyzer.tls.dtls.opened_record import RecordOpened
from analyzer.tls.dtls.record_headers import ACK, FRAGMENT_HEADER, TLS12_CID, UNIFIED
from analyzer.tls.events import Event, HandshakeMessage
from analyzer.tls.messages.protocol import Alert as AlertTable
from analyzer.tls.record.content_types import ALERT, HANDSHAKE
from analyzer.tls.record.record import Record
from analyzer.tls.tls_layers import TlsLayer, message_layer, table_fields

MAX_FRAGMENTS = 256
"""Fragments and record numbers of one record that are shown; a record can have a thousand of them."""

_SEALED = "protected: what it carries cannot be seen without keys"
_DECRYPTED = "decrypted: byte numbers count from its beginning"
_SPANS_FRAGMENTS = "it spans fragments: byte numbers count from its beginning"
_HEADER_FIELDS = (("message_seq", 4, 6), ("fragment_offset", 6, 9), ("fragment_length", 9, 12))


def dtls_layers(
    records: Sequence[Record], start: int, association: Association | None, events: Sequence[Event]
) -> Iterator[TlsLayer]:
    """Iterate over the layers of a datagram.

    records: of the datagram, one behind the other; start: of the first in the frame. association: of the datagram, None if no
    hello came before it. events: those that the frame caused.
    """
    opened = {event.raw: event for event in events if isinstance(event, RecordOpened)}
    waiting = [event for event in events if isinstance(event, HandshakeMessage) and event.body is not None]
    for record in records:
        event = opened.get(record.body)
        sealed = record.epoch > 0 or record.version == UNIFIED
        kind = record.content_type if event is None else event.content_type
        yield TlsLayer(_record(record, start, kind, event), 0, _SEALED if sealed and event is None else "")
        if event is not None:
            yield from _content(kind, event.content, 0, True, association, waiting)
        elif not sealed:
            body = record.body[record.header :]
            yield from _content(kind, body, start + record.header, False, association, waiting)
        start += len(record.body)


def _content(
    kind: int, content: bytes, base: int, apart: bool, association: Association | None, waiting: list[HandshakeMessage]
) -> Iterator[TlsLayer]:
    """Iterate over what is in a record. base: where the content begins; apart: whether that is the record's own plaintext."""
    note = _DECRYPTED if apart else ""
    if kind == HANDSHAKE:
        for layer in _fragments(content, base, apart, association, waiting):
            yield TlsLayer(layer.layer, 1, layer.note or note, layer.apart)
    elif kind == ALERT and len(content) == 2:
        fields = table_fields(spans(AlertTable, content, 0, 2, -base))
        yield TlsLayer(Layer("Alert", base, 2, fields), 1, note, apart)
    elif kind == ACK and len(content) >= 2:
        yield TlsLayer(Layer("ACK", base, len(content), _ack_fields(content, base)), 1, note, apart)
    elif apart and content:
        data = Field("data", content, content.hex(), base, len(content))
        yield TlsLayer(Layer(registry("content_types").name(kind), base, len(content), (data,)), 1, note, True)


def _fragments(
    content: bytes, base: int, apart: bool, association: Association | None, waiting: list[HandshakeMessage]
) -> Iterator[TlsLayer]:
    """Iterate over the fragments in a record, and over the messages that are whole."""
    pos = shown = 0
    while len(content) - pos >= FRAGMENT_HEADER and shown < MAX_FRAGMENTS:
        shown += 1
        header = content[pos : pos + FRAGMENT_HEADER]
        length = int.from_bytes(header[9:12])
        data = content[pos + FRAGMENT_HEADER : pos + FRAGMENT_HEADER + length]
        at = base + pos
        whole = header[6:9] == b"\0\0\0" and header[1:4] == header[9:12] and len(data) == length
        message = association.read(header[:4] + data) if whole and association is not None else None
        fields = _header(header, at)
        if message is not None:
            # The fields of the body stand eight bytes behind those of TLS, whose header has no number and no fragment.
            body = message_layer(message, at + FRAGMENT_HEADER - 4)
            yield TlsLayer(Layer(body.name, at, FRAGMENT_HEADER + length, (*fields, *body.fields[2:])), 1, "", apart)
        else:
            name = registry("handshake_types").name(header[0])
            rest = (Field("fragment", data, data.hex(), at + FRAGMENT_HEADER, len(data)),) if data else ()
            yield TlsLayer(Layer(f"Handshake fragment: {name}", at, FRAGMENT_HEADER + len(data), fields + rest), 1, "", apart)
            complete = next((one for one in waiting if one.type == header[0] and one.length > 4 + length), None)
            if complete is not None:
                waiting.remove(complete)
                yield TlsLayer(message_layer(complete, None), 1, _SPANS_FRAGMENTS, True)
        pos += FRAGMENT_HEADER + length


def _header(header: bytes, at: int) -> tuple[Field, ...]:
    """Return the fields of the header of a fragment (RFC 9147 section 5.2)."""
    name = registry("handshake_types").name(header[0])
    length = int.from_bytes(header[1:4])
    fields = [Field("msg_type", header[0], f"{name} ({header[0]})", at, 1), Field("length", length, str(length), at + 1, 3)]
    for own, start, end in _HEADER_FIELDS:
        value = int.from_bytes(header[start:end])
        fields.append(Field(own, value, str(value), at + start, end - start))
    return tuple(fields)


def _record(record: Record, start: int, kind: int, event: RecordOpened | None) -> Layer:
    """Return a record with its header, and its body where that is not shown by itself."""
    whole = record.body
    fields = _unified(record, start, event) if record.version == UNIFIED else _plain(record, start)
    body = whole[record.header :]
    readable = event is None and record.epoch == 0 and record.version != UNIFIED and kind in (HANDSHAKE, ALERT, ACK)
    if body and not readable:
        name = "encrypted_record" if record.epoch > 0 or record.version == UNIFIED else "fragment"
        fields = (*fields, Field(name, body, body.hex(), start + record.header, len(body)))
    unknown = event is None and (record.version == UNIFIED or record.content_type == TLS12_CID)
    title = "DTLS record" if unknown else f"DTLS record: {registry('content_types').name(kind)}"
    return Layer(title, start, len(whole), fields)


def _plain(record: Record, start: int) -> tuple[Field, ...]:
    """Return the header of a record up to DTLS 1.2, or in plaintext."""
    whole, end = record.body, record.header
    name = registry("content_types").name(record.content_type)
    version = registry("versions").name(record.version)
    fields = [
        Field("type", record.content_type, f"{name} ({record.content_type})", start, 1),
        Field("legacy_record_version", record.version, f"{version} (0x{record.version:04x})", start + 1, 2),
        Field("epoch", record.epoch, str(record.epoch), start + 3, 2),
        Field("sequence_number", record.offset, str(record.offset), start + 5, 6),
    ]
    if end > 13:
        fields.append(Field("connection_id", whole[11 : end - 2], whole[11 : end - 2].hex(), start + 11, end - 13))
    fields.append(Field("length", record.length, str(record.length), start + end - 2, 2))
    return tuple(fields)


def _unified(record: Record, start: int, event: RecordOpened | None) -> tuple[Field, ...]:
    """Return a unified header (RFC 9147 section 4): the numbers as they came, and in full where the record was opened."""
    whole, end = record.body, record.header
    first = whole[0]
    bits = (
        ("connection_id_present", first >> 4 & 1),
        ("sequence_number_size", 2 if first & 0x08 else 1),
        ("length_present", first >> 2 & 1),
        ("epoch_bits", first & 3),
    )
    children = tuple(Field(name, value, str(value), start, 1) for name, value in bits)
    fields = [Field("first_byte", first, f"0x{first:02x}", start, 1, children)]
    length_at = end - (2 if first & 0x04 else 0)
    number_at = length_at - (2 if first & 0x08 else 1)
    if number_at > 1:
        fields.append(Field("connection_id", whole[1:number_at], whole[1:number_at].hex(), start + 1, number_at - 1))
    number = whole[number_at:length_at]
    opened: list[Field] = []
    if event is not None:
        opened.append(Field("epoch", event.epoch, str(event.epoch), start, 1))
        opened.append(Field("sequence_number", event.number, str(event.number), start + number_at, len(number)))
    fields.append(Field("encrypted_sequence_number", number, number.hex(), start + number_at, len(number), tuple(opened)))
    if first & 0x04:
        fields.append(Field("length", record.length, str(record.length), start + length_at, 2))
    return tuple(fields)


def _ack_fields(content: bytes, base: int) -> tuple[Field, ...]:
    """Return the record numbers of an ACK (RFC 9147 section 7)."""
    length = int.from_bytes(content[:2])
    numbers: list[Field] = []
    for pos in range(2, min(2 + length, len(content)) - 15, 16):
        if len(numbers) >= MAX_FRAGMENTS:
            break
        epoch, number = int.from_bytes(content[pos : pos + 8]), int.from_bytes(content[pos + 8 : pos + 16])
        parts = (
            Field("epoch", epoch, str(epoch), base + pos, 8),
            Field("sequence_number", number, str(number), base + pos + 8, 8),
        )
        numbers.append(Field("record_number", content[pos : pos + 16], "", base + pos, 16, parts))
    return (Field("record_numbers_length", length, str(length), base, 2), *numbers)
