"""Builds the QUIC layers of one datagram: its packets with their headers, the frames in them, and the TLS messages.

Header fields stand where they are in the datagram, as they came. Frames and messages were encrypted, also those of Initial
packets, so the offsets of their fields count from the beginning of what was decrypted: the plaintext of the packet, or the
message.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from analyzer.codec.registry import registry
from analyzer.packet.field_tree import Field, Layer
from analyzer.secrets.quic_versions import INITIAL, RETRY
from analyzer.tls.events import Event, HandshakeMessage
from analyzer.tls.quic.datagram_packets import DatagramPacket
from analyzer.tls.quic.frame_layout import CRYPTO, PADDING, FrameField, PacketFrame, packet_frames
from analyzer.tls.quic.packet_headers import NEGOTIATION, OTHER, LongHeader, negotiated_versions, read_varint, varint_length
from analyzer.tls.quic.quic_events import SEALED, PacketSeen
from analyzer.tls.tls_layers import TlsLayer, message_layer

MAX_FRAMES = 1024
"""Frames of one packet that are shown; a packet can have more of one byte each."""

MAX_FIELDS = 256
"""Fields of one frame that are shown; an ACK can have two for each byte."""

_TAG = 16
_SEALED = "protected: what it carries cannot be seen without keys"
_OPENED = "decrypted: frames have byte numbers of their own"
_WHOLE_MESSAGE = "complete with this packet: byte numbers count from its beginning"
_CUT = "it does not end inside its packet, or its type is unknown"
_FORMS, _INITIATORS, _DIRECTIONS = ("short", "long"), ("client", "server"), ("bidirectional", "unidirectional")
_ERRORS = {0x1C: "quic_transport_error_codes"}


@dataclass(slots=True)
class _Opened:
    """What the events say of a packet: the messages that it completed."""

    event: PacketSeen
    messages: list[HandshakeMessage] = field(default_factory=list)


def quic_layers(
    data: bytes, start: int, packets: Sequence[DatagramPacket], events: Sequence[Event], frame: int
) -> Iterator[TlsLayer]:
    """Iterate over the layers of a datagram.

    data: the frame of the capture; start: of the datagram in it. packets: of the datagram. events: those that the frame caused.
    frame: its number.
    """
    waiting = _opened(events, frame)
    for packet in packets:
        octets = data[start + packet.start : start + packet.end]
        found = next((one for one in waiting if one.event.packet == octets), None)
        if found is not None:
            waiting.remove(found)
        event = None if found is None else found.event
        name = f"QUIC: {packet.title}"
        layer = Layer(name, start + packet.start, len(octets), _header(octets, start + packet.start, packet, event))
        sealed = packet.header is None or packet.header.type not in (RETRY, NEGOTIATION, OTHER)
        opened = event is not None and event.number != SEALED
        yield TlsLayer(layer, 0, _OPENED if opened else _SEALED if sealed else "")
        if found is not None and opened:
            yield from _frames(found)


def _opened(events: Sequence[Event], frame: int) -> list[_Opened]:
    """Return the packets of a frame. A message belongs to the packet of its role that was seen last before it."""
    found: list[_Opened] = []
    for event in events:
        if isinstance(event, PacketSeen) and event.frame == frame:
            found.append(_Opened(event))
        elif isinstance(event, HandshakeMessage) and event.frame == frame:
            of_role = [one for one in found if one.event.role == event.role]
            if of_role:
                of_role[-1].messages.append(event)
    return found


def _frames(found: _Opened) -> Iterator[TlsLayer]:
    frames: list[PacketFrame] = []
    for one in packet_frames(found.event.plaintext):
        if len(frames) >= MAX_FRAMES:
            break
        frames.append(one)
    last = max((index for index, one in enumerate(frames) if one.type == CRYPTO), default=-1)
    for index, one in enumerate(frames):
        layer = Layer(f"{one.name} frame", one.start, one.end - one.start, _fields(one, found.event.plaintext))
        yield TlsLayer(layer, 1, "" if one.whole else _CUT, True)
        if index == last:
            for message in found.messages:
                yield TlsLayer(message_layer(message, None), 2, _WHOLE_MESSAGE, True)


def _fields(frame: PacketFrame, plaintext: bytes) -> tuple[Field, ...]:
    if frame.type == PADDING:
        length = frame.end - frame.start
        return (Field("padding_length", length, str(length), frame.start, length),)
    n_type = 1 << (plaintext[frame.start] >> 6)
    first = Field("type", frame.type, f"{frame.name} (0x{frame.type:02x})", frame.start, n_type)
    return (first, *[_field(one, frame.type) for one in frame.fields[:MAX_FIELDS]])


def _field(one: FrameField, kind: int) -> Field:
    value = one.value
    text = value.hex() if isinstance(value, bytes) else str(value)
    if one.name == "reason_phrase" and isinstance(value, bytes):
        text = value.decode("utf-8", "backslashreplace")
    elif one.name == "error_code" and isinstance(value, int) and kind in _ERRORS:
        text = f"{registry(_ERRORS[kind]).name(value)} ({value})"
    children: tuple[Field, ...] = ()
    if one.name == "stream_id" and isinstance(value, int):  # RFC 9000 section 2.1
        bits = (("initiator", value & 1, _INITIATORS), ("direction", value >> 1 & 1, _DIRECTIONS))
        children = tuple(Field(name, bit, _named(bit, names), one.end - 1, 1) for name, bit, names in bits)
    return Field(one.name, value, text, one.start, one.end - one.start, children)


def _named(bit: int, names: tuple[str, str]) -> str:
    return f"{names[bit]} ({bit})"


class _Places:
    """Makes the fields of a header one behind the other. at: where the next one is in the datagram's frame."""

    def __init__(self, octets: bytes, base: int) -> None:
        self.octets = octets
        self.base = base
        self.pos = 0
        self.fields: list[Field] = []

    def add(self, name: str, n_bytes: int, value: int | bytes | None = None, text: str | None = None) -> None:
        """Add a field of so many bytes. value: the bytes themselves, if None."""
        octets = self.octets[self.pos : self.pos + n_bytes]
        shown = octets if value is None else value
        words = text if text is not None else shown.hex() if isinstance(shown, bytes) else str(shown)
        self.fields.append(Field(name, shown, words, self.base + self.pos, len(octets)))
        self.pos += n_bytes

    def bit(self, name: str, value: int, text: str | None = None) -> None:
        """Add a part of the first byte."""
        self.fields.append(Field(name, value, str(value) if text is None else text, self.base, 1))

    def rest(self, name: str, end: int) -> None:
        """Add the bytes up to `end`, if there are any."""
        if end > self.pos:
            self.add(name, end - self.pos)


def _header(octets: bytes, base: int, packet: DatagramPacket, event: PacketSeen | None) -> tuple[Field, ...]:
    places = _Places(octets, base)
    if packet.header is None:
        _short(places, packet, event)
    else:
        _long(places, packet, packet.header, event)
    return tuple(places.fields)


def _short(places: _Places, packet: DatagramPacket, event: PacketSeen | None) -> None:
    first, opened = places.octets[0], event is not None and event.number != SEALED
    places.bit("header_form", 0, _named(0, _FORMS))
    places.bit("fixed_bit", first >> 6 & 1)
    places.bit("spin_bit", first >> 5 & 1)
    if event is not None and opened:
        places.bit("key_phase", event.first >> 2 & 1)
    places.pos = 1
    destination = b"" if packet.destination is None else packet.destination
    if event is not None:
        destination = event.packet[1 : event.number_at]
    if destination:
        places.add("destination_connection_id", len(destination))
    _number_and_payload(places, event)


def _long(places: _Places, packet: DatagramPacket, header: LongHeader, event: PacketSeen | None) -> None:
    octets = places.octets
    places.bit("header_form", 1, _named(1, _FORMS))
    if header.type not in (NEGOTIATION, OTHER):
        places.bit("fixed_bit", octets[0] >> 6 & 1)
        places.bit("long_packet_type", octets[0] >> 4 & 3, f"{packet.title} ({octets[0] >> 4 & 3})")
    places.pos = 1
    places.add("version", 4, header.version, f"{registry('quic_versions').name(header.version)} (0x{header.version:08x})")
    for name, value in (("destination_connection_id", header.destination), ("source_connection_id", header.source)):
        places.add(f"{name}_length", 1, len(value))
        if value:
            places.add(name, len(value))
    if header.type == NEGOTIATION:
        for version in negotiated_versions(octets, _moved(header, packet.start)):
            places.add("supported_version", 4, version, f"{registry('quic_versions').name(version)} (0x{version:08x})")
        return
    if header.type == OTHER:
        places.rest("data", len(octets))
        return
    if header.type == RETRY:
        places.rest("retry_token", len(octets) - _TAG)
        places.rest("retry_integrity_tag", len(octets))
        return
    if header.type == INITIAL:
        places.add("token_length", varint_length(octets, places.pos, len(octets)), len(header.token))
        if header.token:
            places.add("token", len(header.token))
    length = read_varint(octets, places.pos, len(octets))
    places.add("length", varint_length(octets, places.pos, len(octets)), length)
    _number_and_payload(places, event)


def _number_and_payload(places: _Places, event: PacketSeen | None) -> None:
    if event is not None and event.number != SEALED:
        places.add("packet_number", (event.first & 3) + 1, event.number)
        places.rest("packet_payload", len(places.octets))
    else:
        places.rest("protected_payload", len(places.octets))


def _moved(header: LongHeader, start: int) -> LongHeader:
    """Return a header of a datagram whose offsets count from its own first byte."""
    moved = LongHeader(header.version, header.destination, header.source)
    moved.number_at, moved.end = header.number_at - start, header.end - start
    return moved
