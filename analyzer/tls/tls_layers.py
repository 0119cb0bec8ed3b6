"""Builds the TLS layers of one packet: the records in its payload, and the handshake messages that it completed.

A record can begin in one packet and end in another, and so can a message. Records and messages know their positions in the
role's stream, and the payload knows its own. So everything in the payload has a position among the packet's bytes. For a
message that is in several packets, the offsets of its fields are counted from the message's first byte.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analyzer.codec.field_spec import FieldSpec
from analyzer.codec.field_tables import Span, spans
from analyzer.codec.registry import registry
from analyzer.packet.field_tree import Field, Layer
from analyzer.tls.events import Alert, Event, HandshakeMessage, RecordRead
from analyzer.tls.messages.protocol import Alert as AlertTable
from analyzer.tls.record.content_types import ALERT, HANDSHAKE, HEADER
from analyzer.tls.record.record_reader import RecordReader, plausible

EMPTY = "(empty)"
"""The text of a field that is there and has no bytes."""

_SPANS_FRAMES = "it spans frames: byte numbers count from its beginning"
_SPANS_RECORDS = "it spans records: byte numbers count from its beginning"
_DECRYPTED = "decrypted: byte numbers count from its beginning"
_OUT_OF_ORDER = "where records begin in it is not known: it came out of order, or begins the stream"


@dataclass(frozen=True, slots=True)
class TlsLayer:
    """A record or a message. `note` adds what its fields do not say. `apart`: offsets count from the message's first byte."""

    layer: Layer
    depth: int
    note: str = ""
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Payload:
    """The part of a role's stream that is in one packet.

    data: the frame; start, end: position of the payload in it; offset: the position of its first byte in the stream, None if it
    is not known.
    """

    data: bytes
    start: int
    end: int
    offset: int | None


def tls_layers(payload: Payload, reader: RecordReader | None, events: Sequence[Event]) -> Iterator[TlsLayer]:
    """Iterate over the layers in a payload that was just read.

    events: the events that it caused; reader: the reader of its role's records, in its current state.
    """
    data, end = payload.data, payload.end
    messages = [event for event in events if isinstance(event, HandshakeMessage)]
    alerts = [event for event in events if isinstance(event, Alert) and not event.encrypted]
    decrypted = [message for message in messages if message.encrypted and message.body is not None]
    messages = [message for message in messages if message not in decrypted]
    partial = _record_before(payload, reader, events)
    at = payload.start
    if partial is not None:
        layer, at, ended = _continued(payload, partial)
        yield layer
        if ended and partial.content_type == HANDSHAKE:
            yield from _messages(messages, payload, payload.start, at)
    while at < end and plausible(data, at, end):
        length = data[at + 3] << 8 | data[at + 4]
        stop = min(end, at + HEADER + length)
        missing = at + HEADER + length - stop
        note = f"{missing} bytes of it come in later frames" if missing else ""
        yield TlsLayer(_record(data, at, stop, not missing and data[at] == HANDSHAKE and bool(messages)), 0, note)
        if data[at] == ALERT and alerts and stop - at == HEADER + 2:
            fields = table_fields(spans(AlertTable, data, at + HEADER, stop, 0))
            yield TlsLayer(Layer("Alert", at + HEADER, 2, fields), 1)
        if not missing and data[at] == HANDSHAKE:
            yield from _messages(messages, payload, at + HEADER, stop)
        at = stop
    if at < end:
        body = data[at:end]
        note = "" if partial is not None or _in_order(payload, reader, events) else _OUT_OF_ORDER
        yield TlsLayer(Layer("Data", at, end - at, (Field("data", body, body.hex(), at, end - at),)), 0, note)
    for message in messages:
        yield TlsLayer(message_layer(message, None), 0, _SPANS_FRAMES, True)
    for message in decrypted:
        yield TlsLayer(message_layer(message, None), 0, _DECRYPTED, True)
    for event in events:
        if isinstance(event, Alert) and event.encrypted and event.level >= 0:
            octets = bytes((event.level, event.description))
            fields = table_fields(spans(AlertTable, octets, 0, 2, 0))
            yield TlsLayer(Layer("Alert", 0, 2, fields), 0, _DECRYPTED, True)


def message_layer(message: HandshakeMessage, place: int | None) -> Layer:
    """Return a message with its fields.

    place: where it begins in the frame; None if offsets count from its own first byte.
    """
    base = 0 if place is None else place
    raw = message.raw
    title = "".join(word[:1].upper() + word[1:] for word in message.name.split("_"))
    fields: list[Field] = []
    n_header = 4 if len(raw) >= 4 and message.length == 4 + int.from_bytes(raw[1:4], "big") else 1
    if raw:
        fields.append(Field("msg_type", message.type, f"{message.name} ({message.type})", base, 1))
    if n_header == 4:
        fields.append(Field("length", message.length - 4, str(message.length - 4), base + 1, 3))
    if message.body is not None:
        fields += table_fields(spans(type(message.body), raw, n_header, len(raw), -base))
    elif len(raw) > n_header:
        fields.append(Field("data", raw[n_header:], raw[n_header:].hex(), base + n_header, len(raw) - n_header))
    return Layer(title, base, len(raw), tuple(fields))


@dataclass(frozen=True, slots=True)
class _PartialRecord:
    """A record that began before a payload.

    offset: of its header in the stream; length: of its body, None while its header is incomplete.
    """

    content_type: int
    offset: int
    header: int
    length: int | None


def _record_before(payload: Payload, reader: RecordReader | None, events: Sequence[Event]) -> _PartialRecord | None:
    """Return the record that continues at the start of the payload.

    Returns None if the payload begins with a record, or if this is not known.
    """
    if payload.offset is None:
        return None
    for event in events:
        if isinstance(event, RecordRead) and event.offset < payload.offset < event.offset + event.header + event.length:
            return _PartialRecord(event.content_type, event.offset, event.header, event.length)
    if reader is None:
        return None
    stream_end = payload.offset + payload.end - payload.start
    record = reader.record
    if reader.remaining:
        if record.offset < payload.offset < record.offset + record.header + record.length:
            return _PartialRecord(record.content_type, record.offset, record.header, record.length)
    elif reader.head and not reader.searching and stream_end - len(reader.head) < payload.offset:
        return _PartialRecord(reader.head[0], stream_end - len(reader.head), HEADER, None)
    return None


def _in_order(payload: Payload, reader: RecordReader | None, events: Sequence[Event]) -> bool:
    """Return whether it is known where records begin in a payload, for a payload that does not continue a record."""
    if reader is None:
        return False
    record = reader.record
    if not record.header or any(isinstance(event, RecordRead) for event in events):
        return True
    begins = record.offset + record.header + record.length  # the next header, which is incomplete
    return payload.offset is not None and payload.offset + payload.end - payload.start - len(reader.head) == begins


def _messages(messages: list[HandshakeMessage], payload: Payload, start: int, end: int) -> Iterator[TlsLayer]:
    """Iterate over the messages that lie completely in `data[start:end]` of the frame or end there.

    They are removed from the list.
    """
    shift = payload.start - (payload.offset or 0)
    while messages:
        message = messages[0]
        if not message.pieces or payload.offset is None:
            return
        first, last = message.pieces[0], message.pieces[-1]
        if not start < last[0] + last[1] + shift <= end:
            return
        messages.pop(0)
        if message.body is None and message.encrypted:
            place = max(start, first[0] + shift)
            layer = Layer("Encrypted handshake message", place, end - place, ())
            yield TlsLayer(layer, 1, "what it says cannot be seen without keys")
        elif len(message.pieces) == 1 and start <= first[0] + shift:
            yield TlsLayer(message_layer(message, first[0] + shift), 1)
        else:
            yield TlsLayer(message_layer(message, None), 1, _SPANS_RECORDS, True)


def _continued(payload: Payload, partial: _PartialRecord) -> tuple[TlsLayer, int, bool]:
    """Return the rest of a record that began in an earlier frame, where it ends here, and whether it is then complete."""
    assert payload.offset is not None
    start = payload.start
    record_end = payload.end
    if partial.length is not None:
        record_end = start + partial.offset + partial.header + partial.length - payload.offset
    stop = min(payload.end, record_end)
    name = registry("content_types").name(partial.content_type)
    body = payload.data[start:stop]
    fields = (Field("fragment", body, body.hex(), start, stop - start),)
    rest = f", {record_end - stop} bytes of it come in later ones" if record_end > stop else ""
    note = f"begun in an earlier frame{rest}"
    return TlsLayer(Layer(f"TLS record: {name}", start, stop - start, fields), 0, note), stop, record_end == stop


def _record(data: bytes, at: int, stop: int, opened: bool) -> Layer:
    """Return a record with its header, and its body unless that is shown as messages (`opened`)."""
    name = registry("content_types").name(data[at])
    version = data[at + 1] << 8 | data[at + 2]
    length = data[at + 3] << 8 | data[at + 4]
    body = data[at + HEADER : stop]
    header = (
        Field("type", data[at], f"{name} ({data[at]})", at, 1),
        Field("legacy_record_version", version, f"{registry('versions').name(version)} (0x{version:04x})", at + 1, 2),
        Field("length", length, str(length), at + 3, 2),
    )
    fragment = (Field("fragment", body, body.hex(), at + HEADER, stop - at - HEADER),)
    return Layer(f"TLS record: {name}", at, stop - at, header if opened else header + fragment)


def table_fields(found: list[Span]) -> tuple[Field, ...]:
    """Return the fields of a structure. If a field has several forms, an earlier number selects its form."""
    numbers = {span.name: span.value for span in found}
    fields = []
    for span in found:
        spec = span.spec
        if spec is not None and spec.on and spec.cases is not None:
            spec = spec.cases.get(numbers.get(spec.on), spec.element)
        fields.append(_field(span, spec))
    return tuple(fields)


def _field(span: Span, spec: FieldSpec | None) -> Field:
    """Return a field of a table, with its parts."""
    children = table_fields(span.children)
    value = span.value
    text = ""
    if isinstance(value, bytes):
        text = value.decode("utf-8", "backslashreplace") if spec is not None and spec.text else value.hex()
    elif isinstance(value, int):
        text = f"{registry(spec.registry).names[value]} ({value})" if spec is not None and spec.registry else str(value)
    elif isinstance(value, list):
        text = "1 entry" if len(value) == 1 else f"{len(value)} entries"
    text = text or ("" if children else EMPTY)
    return Field(span.name, value if isinstance(value, int | bytes) else "", text, span.start, span.end - span.start, children)
