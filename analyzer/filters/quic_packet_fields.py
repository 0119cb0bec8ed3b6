"""The fields of what is inside QUIC packets: packet numbers and frames (RFC 9000 sections 17 to 19), as Wireshark has them.

They come from the events of the engine, which opens the packets. `frame_layout` says where the fields of frames are.
"""

from collections import OrderedDict
from typing import Final

from analyzer.filters.frame_view import Found, FrameView
from analyzer.filters.packet_values import Occurrence
from analyzer.tls.quic.frame_layout import LAST_STREAM, PADDING, STREAM, FrameField, PacketFrame, packet_frames
from analyzer.tls.quic.quic_events import SEALED, PacketSeen

CONNECTIONS_MAX: Final = 1 << 16
"""Connections whose number is remembered; beyond it the oldest is forgotten."""

FRAMES_MAX: Final = 4096
"""Frames of one packet whose fields are found; a packet can have more of one byte each."""

_LONG: Final = 0x80
_KEY_PHASE: Final = 0x04
_FIN, _LEN, _OFF = 0x01, 0x02, 0x04
_TRANSPORT_CLOSE: Final = 0x1C
_ALERTS: Final = range(0x100, 0x200)
_ALSO_EMPTY: Final = frozenset({"cc.reason_phrase"})
_WITHOUT_VALUE: Final = frozenset({"crypto.crypto_data"})


class QuicPacketFields:
    """The source of `quic.*` of what is inside packets."""

    def __init__(self) -> None:
        # By session: the number of the connection, in the order in which they began.
        self._numbers: OrderedDict[int, int] = OrderedDict()
        self._next = 0

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""
        for event in view.events:
            if isinstance(event, PacketSeen) and event.session not in self._numbers:
                self._numbers[event.session] = self._next
                self._next += 1
                if len(self._numbers) > CONNECTIONS_MAX:
                    self._numbers.popitem(last=False)

    def find(self, view: FrameView) -> Found:
        """See `Source.find`. A packet that was opened later, when its keys were known, has its fields there."""
        found: Found = {}
        for event in view.events:
            if isinstance(event, PacketSeen):
                if "quic.connection.number" not in found:
                    _add(found, "connection.number", self._numbers.get(event.session, 0))
                _read_packet(event, found)
        return found


def _add(found: Found, name: str, value: object, raw: bytes | None = None) -> None:
    found.setdefault(f"quic.{name}", []).append(Occurrence(value, raw, 1))  # type: ignore[arg-type]


def _read_packet(event: PacketSeen, found: Found) -> None:
    packet = event.packet
    if event.number == SEALED:
        _add(found, "remaining_payload", packet[event.number_at :], packet[event.number_at :])
        return
    first = event.first
    is_long = first & _LONG != 0
    if is_long:
        _add(found, "long.reserved", first >> 2 & 3)
    else:
        _add(found, "short.reserved", first >> 3 & 3)
        _add(found, "key_phase", first & _KEY_PHASE != 0)
    _add(found, "packet_number_length", first & 3)
    behind = event.number_at + (first & 3) + 1
    _add(found, "packet_number", event.number, packet[event.number_at : behind])
    _add(found, "payload" if is_long else "protected_payload", packet[behind:], packet[behind:])
    for count, frame in enumerate(packet_frames(event.plaintext)):
        if count == FRAMES_MAX:
            break
        _read_frame(frame, event.plaintext, found)


def _read_frame(frame: PacketFrame, plaintext: bytes, found: Found) -> None:
    _add(found, "frame", None, plaintext[frame.start : frame.end])
    n_type = 1 << (plaintext[frame.start] >> 6)
    _add(found, "frame_type", frame.type, plaintext[frame.start : frame.start + n_type])
    if frame.type == PADDING:
        _add(found, "padding_length", frame.end - frame.start)
        return
    if not frame.whole and not frame.fields:
        _add(found, "ft.unknown", None)
    is_stream = STREAM <= frame.type <= LAST_STREAM
    if is_stream:
        for name, bit in (("fin", _FIN), ("len", _LEN), ("off", _OFF)):
            _add(found, f"stream.{name}", frame.type & bit != 0)
    for field in frame.fields:
        _read_field(field, plaintext, found)
        if is_stream and field.name == "stream_id" and isinstance(field.value, int):  # RFC 9000 section 2.1
            _add(found, "stream.initiator", field.value & 1)
            _add(found, "stream.direction", field.value >> 1 & 1)
        elif frame.type == _TRANSPORT_CLOSE and field.name == "error_code" and field.value in _ALERTS:
            assert isinstance(field.value, int)
            _add(found, "cc.error_code.tls_alert", field.value & 0xFF)


def _read_field(field: FrameField, plaintext: bytes, found: Found) -> None:
    name, value = field.filter_name, field.value
    if not name or (value == b"" and name not in _ALSO_EMPTY):
        return
    if name in _WITHOUT_VALUE:
        value = None  # type: ignore[assignment]
    elif name == "cc.reason_phrase" and isinstance(value, bytes):
        value = value.decode("utf-8", "replace")  # type: ignore[assignment]
    _add(found, name, value, plaintext[field.start : field.end])
