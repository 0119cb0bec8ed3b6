"""The TLS layers of one packet: records where they lie in the frame, and the handshake messages that the frame completed.

A record may begin in one frame and end in another, and so may a message. The reader of the stream knows, before it is fed the
frame, how far into a record the stream is; from there the frame's own records are counted off. A message whose bytes are all in
the frame has its fields at their places in it; of one that spans frames they are counted from the message's first byte.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from analyzer.codec.fields import Span, spans
from analyzer.codec.registry import registry
from analyzer.codec.row import Row
from analyzer.flows.connection import Half
from analyzer.flows.tcp import Connections
from analyzer.packet.packet import Packet
from analyzer.packet.tree import Field, Layer
from analyzer.tls.detect import TlsStream
from analyzer.tls.facts import Alert, HandshakeMessage
from analyzer.tls.messages.protocol import Alert as AlertTable
from analyzer.tls.records import plausible

HEADER = 5
ALERT, HANDSHAKE = 21, 22


@dataclass(frozen=True, slots=True)
class Place:
    """How far a side's stream is before a frame. head: bytes of a record header that earlier frames had; remaining: bytes of
    a record's body that are still to come, of `content_type`."""

    head: bytes
    remaining: int
    content_type: int


@dataclass(frozen=True, slots=True)
class TlsLayer:
    """A record or a message; `note` says what its fields do not. `apart`: offsets count from the message's first byte."""

    layer: Layer
    depth: int
    note: str = ""
    apart: bool = False


def place_before(connections: Connections, packet: Packet) -> Place | None:
    """Where the stream stands that the packet belongs to; None for no TLS, and for a packet that is not the next in order."""
    half: Half | None = connections.halves.get(packet.key())
    if half is None or not half.started or half.next != packet.sequence:
        return None
    sink = half.connection.sink
    session = sink.session if isinstance(sink, TlsStream) else None
    if session is None:
        return None
    reader = session.readers[half.side]
    return Place(reader.head, reader.remaining, reader.content_type)


def speaks_tls(connections: Connections, packet: Packet) -> bool:
    """Whether a TLS session was found in the packet's connection by now."""
    half: Half | None = connections.halves.get(packet.key())
    sink = None if half is None else half.connection.sink
    return isinstance(sink, TlsStream) and sink.session is not None


def tls_layers(data: bytes, start: int, end: int, place: Place | None, items: list[Any]) -> Iterator[TlsLayer]:
    """The layers in the TCP payload `data[start:end]` of a frame, with the messages and alerts that it completed."""
    messages = [item for item in items if isinstance(item, HandshakeMessage)]
    alerts = [item for item in items if isinstance(item, Alert) and not item.encrypted]
    opened = [message for message in messages if message.encrypted and message.body is not None]
    messages = [message for message in messages if message not in opened]
    at = start
    if place is not None and (place.head or place.remaining):
        layer, at, ended = _continued(data, start, end, place)
        yield layer
        if ended and place.content_type == HANDSHAKE:
            yield from _messages(messages, data, start, at)
    while at < end and plausible(data, at, end):
        length = data[at + 3] << 8 | data[at + 4]
        stop = min(end, at + HEADER + length)
        missing = at + HEADER + length - stop
        note = f"{missing} bytes of it come in later frames" if missing else ""
        yield TlsLayer(_record(data, at, stop, not missing and data[at] == HANDSHAKE and bool(messages)), 0, note)
        if data[at] == ALERT and alerts and stop - at == HEADER + 2:
            fields = _fields(spans(AlertTable, data, at + HEADER, stop, 0))
            yield TlsLayer(Layer("Alert", at + HEADER, 2, fields), 1)
        if not missing and data[at] == HANDSHAKE:
            yield from _messages(messages, data, at + HEADER, stop)
        at = stop
    if at < end:
        body = data[at:end]
        note = "" if place is not None else "where records begin in it is not known: it came out of order, or begins the stream"
        yield TlsLayer(Layer("Data", at, end - at, (Field("data", body, body.hex(), at, end - at),)), 0, note)
    for message in messages:
        yield TlsLayer(message_layer(message, None), 0, "it spans frames: byte numbers count from its beginning", True)
    for message in opened:
        yield TlsLayer(message_layer(message, None), 0, "decrypted: byte numbers count from its beginning", True)
    for alert in items:
        if isinstance(alert, Alert) and alert.encrypted and alert.level >= 0:
            octets = bytes((alert.level, alert.description))
            fields = _fields(spans(AlertTable, octets, 0, 2, 0))
            yield TlsLayer(Layer("Alert", 0, 2, fields), 0, "decrypted: byte numbers count from its beginning", True)


def message_layer(message: HandshakeMessage, place: int | None) -> Layer:
    """A message with its fields; `place` is where it begins in the frame, None counts from its own first byte."""
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
        fields += _fields(spans(type(message.body), raw, n_header, len(raw), -base))
    elif len(raw) > n_header:
        fields.append(Field("data", raw[n_header:], raw[n_header:].hex(), base + n_header, len(raw) - n_header))
    return Layer(title, base, len(raw), tuple(fields))


def _messages(messages: list[HandshakeMessage], data: bytes, start: int, end: int) -> Iterator[TlsLayer]:
    """Those of the messages, taken off the list, that lie whole in `data[start:end]` or end there."""
    at = start
    while messages:
        message = messages[0]
        if message.body is None and message.encrypted:
            messages.pop(0)
            yield TlsLayer(
                Layer("Encrypted handshake message", at, end - at, ()), 1, "what it says cannot be seen without keys"
            )
            continue
        place = data.find(message.raw, at, end) if len(message.raw) <= end - at else -1
        if place < 0:
            if at > start or not _ends_here(message, data, at, end):
                return
            messages.pop(0)
            yield TlsLayer(message_layer(message, None), 1, "it spans records: byte numbers count from its beginning", True)
            continue
        messages.pop(0)
        yield TlsLayer(message_layer(message, place), 1)
        at = place + len(message.raw)


def _ends_here(message: HandshakeMessage, data: bytes, start: int, end: int) -> bool:
    """Whether the last bytes of a message are in `data[start:end]`."""
    n_bytes = min(len(message.raw), end - start, 64)
    return n_bytes > 0 and data.find(message.raw[len(message.raw) - n_bytes :], start, end) >= 0


def _continued(data: bytes, start: int, end: int, place: Place) -> tuple[TlsLayer, int, bool]:
    """The rest of a record that began in an earlier frame; where it ends here, and whether it is whole then."""
    remaining, content_type = place.remaining, place.content_type
    at = start
    if place.head:
        head = place.head + data[start : start + HEADER - len(place.head)]
        at = min(end, start + HEADER - len(place.head))
        remaining = int.from_bytes(head[3:5], "big") if len(head) >= HEADER else 0
        content_type = head[0]
    stop = min(end, at + remaining)
    name = registry("content_types").name(content_type)
    body = data[start:stop]
    fields = (Field("fragment", body, body.hex(), start, stop - start),)
    note = "begun in an earlier frame"
    left = at + remaining - stop
    if left:
        note += f", {left} bytes of it come in later ones"
    return TlsLayer(Layer(f"TLS record: {name}", start, stop - start, fields), 0, note), stop, not left


def _record(data: bytes, at: int, stop: int, opened: bool) -> Layer:
    """A record with its header, and its body unless that is shown as messages (`opened`)."""
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


def _fields(found: list[Span]) -> tuple[Field, ...]:
    """The fields of a structure; one of several forms has the form that an earlier number chose."""
    numbers = {span.name: span.value for span in found}
    fields = []
    for span in found:
        row = span.row
        if row is not None and row.on and row.cases is not None:
            row = row.cases.get(numbers.get(row.on), row.element)
        fields.append(_field(span, row))
    return tuple(fields)


def _field(span: Span, row: Row | None) -> Field:
    """A field of a table, with its parts."""
    children = _fields(span.children)
    value = span.value
    text = ""
    if isinstance(value, bytes):
        text = value.decode("utf-8", "backslashreplace") if row is not None and row.text else value.hex()
    elif isinstance(value, int):
        text = f"{registry(row.registry).names[value]} ({value})" if row is not None and row.registry else str(value)
    elif isinstance(value, list):
        text = "1 entry" if len(value) == 1 else f"{len(value)} entries"
    text = text or ("" if children else "(empty)")
    return Field(span.name, value if isinstance(value, int | bytes) else "", text, span.start, span.end - span.start, children)
