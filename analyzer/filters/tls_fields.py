"""The fields of TLS: records, alerts and handshake messages, in the frame that completes them, as Wireshark has them.

They come from the events of the engine. `tls_fields.csv` has those of records; the field tables of messages declare their own
(`handshake_fields`). Decrypted messages have the same fields as those in plaintext.
"""

from collections import deque
from collections.abc import Mapping

from analyzer.codec.field_tables import spans
from analyzer.filters.crypto_readings import CryptoReadings
from analyzer.filters.frame_view import Found, FrameView
from analyzer.filters.handshake_fields import read_message
from analyzer.filters.inner_hellos import encoded_inner
from analyzer.filters.message_values import is_of_dtls, read_values, with_sources
from analyzer.filters.packet_values import Occurrence
from analyzer.filters.segment_fields import SegmentFields
from analyzer.filters.tls_readings import TlsReadings
from analyzer.tls.events import Alert, Data, HandshakeMessage, RecordEvent, RecordRead
from analyzer.tls.handshake import hello_features
from analyzer.tls.messages.numbers import CLIENT_HELLO
from analyzer.tls.messages.ssl2_tables import SSL2_MESSAGES
from analyzer.tls.record.content_types import ALERT, APPLICATION_DATA, HANDSHAKE, SSL2

SSL2_VERSION = 0x0002
"""The version of SSL 2.0, which its records do not have."""

_OF_FRAMES = frozenset({"tls", "tls.stream"})
_APP_DATA = "tls.app_data"
_SECOND = 1_000_000_000
_SSL2_TABLES = frozenset(SSL2_MESSAGES.values())


class TlsFields:
    """The source of `tls.*`. It reads only the messages that can have a field that is asked for."""

    def __init__(self) -> None:
        self._names: frozenset[str] | None = None
        self._readings = TlsReadings()
        self._crypto = CryptoReadings()
        self._segments: SegmentFields | None = SegmentFields()

    def want(self, names: frozenset[str]) -> None:
        """See `Selective.want`."""
        self._names = with_sources(names)
        self._segments = SegmentFields() if _APP_DATA in names else None

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""
        if self._names is None or not self._names.isdisjoint(_OF_FRAMES):
            self._readings.take(view)
            self._crypto.take(view)
        if self._segments is not None:
            self._segments.take(view)

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        found: Found = {}
        if any(map(is_of_dtls, view.events)):
            return found
        record: RecordRead | None = None
        readings = deque(self._readings.found)
        second, before = _second_reading(view), None
        for place, event in enumerate(view.events):
            for _ in range(self._crypto.counts.get(place, 0)):
                _add(found, "tls", b"", b"")  # QUIC has no records
            if isinstance(event, RecordRead):
                if before is None and 0 <= second <= event.offset:
                    before = {name: len(some) for name, some in found.items()}
                while readings and readings[0].start <= event.offset:
                    reading, whole = readings.popleft(), self._octets(event, view)
                    _add(found, "tls", whole, whole)
                    _add(found, "tls.stream", reading.stream)
                record = event if event.wire_version != SSL2 else None
                _read_record(event, self._octets(event, view), found)
            elif isinstance(event, HandshakeMessage) and type(event.body) in _SSL2_TABLES:
                _read_ssl2(event, found)
            elif isinstance(event, HandshakeMessage):
                _read_handshake(event, record, found, self._names, _inner(event, view))
            elif isinstance(event, Alert) and record is not None:  # else it is one of DTLS
                _read_alert(event, record, found)
            elif isinstance(event, Data):
                _open(record, APPLICATION_DATA, found)
            elif isinstance(event, RecordEvent):
                _read_other(event, found)
        for reading in readings:
            part = _part(reading.start, reading.end, view)
            _add(found, "tls", part, part)
            _add(found, "tls.stream", reading.stream)
        if before is not None:
            _raise_layer(found, before)
        return found

    def _octets(self, record: RecordRead, view: FrameView) -> bytes:
        """Return the bytes of a record, if the frame has all of them, or the frames before it were kept."""
        whole = _part(record.offset, record.offset + record.header + record.length, view)
        return self._segments.octets(record) if not whole and self._segments is not None else whole


def _second_reading(view: FrameView) -> int:
    """Return where TLS is read for a second time, behind a record that was put together; -1 if it is not (`tls_readings`)."""
    first = next((event for event in view.events if isinstance(event, RecordRead)), None)
    offset = None if first is None or view.engine is None else view.engine.stream_offset()
    if first is None or offset is None or offset - first.offset < first.header:
        return -1
    return first.offset + first.header + first.length


def _raise_layer(found: Found, before: Mapping[str, int]) -> None:
    """Say of the occurrences of the second reading that they are in the second layer. before: how many are not."""
    for name, some in found.items():
        start = before.get(name, 0)
        some[start:] = [Occurrence(one.value, one.raw, 2) for one in some[start:]]


def _add(found: Found, name: str, value: object, raw: bytes | None = None) -> None:
    found.setdefault(name, []).append(Occurrence(value, raw, 1))  # type: ignore[arg-type]


def _read_record(record: RecordRead, whole: bytes, found: Found) -> None:
    kind = record.content_type
    if "tls" not in found:
        _add(found, "tls", whole, whole)
    _add(found, "tls.record", None, whole)
    if record.wire_version == SSL2:
        _add(found, "tls.record.version", SSL2_VERSION)
        _add(found, "tls.record.length", record.length)
        return
    _add(found, "tls.record.version", record.wire_version, whole[1:3])
    _add(found, "tls.record.length", record.length, whole[3:5])
    opaque = hello_features.is_tls13(record.version) and kind == APPLICATION_DATA
    _add(found, "tls.record.opaque_type" if opaque else "tls.record.content_type", kind, whole[:1])
    if kind == APPLICATION_DATA:
        body = whole[record.header :]
        _add(found, "tls.app_data", body, body)


def _part(start: int, end: int, view: FrameView) -> bytes:
    """Return a part of the stream, if the frame has all of it."""
    offset = None if view.engine is None else view.engine.stream_offset()
    if offset is None:
        return b""
    packet = view.layers.packet
    start += packet.payload - offset
    end += packet.payload - offset
    return packet.data[start:end] if packet.payload <= start and end <= packet.payload_end else b""


def _open(record: RecordRead | None, content_type: int, found: Found) -> None:
    """Add the content type of a record that was decrypted, once."""
    if record is not None and hello_features.is_tls13(record.version) and record.content_type == APPLICATION_DATA:
        known = found.setdefault("tls.record.content_type", [])
        if len(known) < len(found.get("tls.record", ())):
            known.append(Occurrence(content_type, None, 1))
            if content_type != APPLICATION_DATA:
                found["tls.app_data"].pop()
                if not found["tls.app_data"]:
                    del found["tls.app_data"]


def _read_ssl2(message: HandshakeMessage, found: Found) -> None:
    """Read a message of SSL 2.0, whose type has a field of its own."""
    raw = message.raw
    _add(found, "tls.ssl2.handshake.type", message.type, raw[:1])
    read_message(spans(type(message.body), raw, 1, len(raw), 0), raw, found)


def _inner(message: HandshakeMessage, view: FrameView) -> bytes:
    """Return the inner hello of a ClientHello; empty without one that opens."""
    if view.material is None or view.material.keylog is None or message.type != CLIENT_HELLO:
        return b""
    return encoded_inner(message, view.material.keylog)


def _read_handshake(
    message: HandshakeMessage, record: RecordRead | None, found: Found, names: frozenset[str] | None, inner: bytes
) -> None:
    _add(found, "tls.handshake", None, message.raw)
    if message.encrypted and message.body is None:
        return
    _open(record, HANDSHAKE, found)
    raw = message.raw
    _add(found, "tls.handshake.type", message.type, raw[:1])
    _add(found, "tls.handshake.length", message.length - 4, raw[1:4])
    read_values(message, found, names, inner=inner)


def _read_alert(alert: Alert, record: RecordRead | None, found: Found) -> None:
    _add(found, "tls.alert_message", None)
    if alert.level >= 0:
        _open(record, ALERT, found)
        _add(found, "tls.alert_message.level", alert.level, bytes((alert.level,)))
        _add(found, "tls.alert_message.desc", alert.description, bytes((alert.description,)))


def _read_other(event: RecordEvent, found: Found) -> None:
    if event.kind == "change_cipher_spec":
        _add(found, "tls.change_cipher_spec", None)
    elif event.kind == "heartbeat":
        _add(found, "tls.heartbeat_message", None)
    elif event.kind == "encrypted_handshake" and "tls.record" in found:  # QUIC has no records
        _add(found, "tls.handshake", None)
