"""The fields of the transport parameters of QUIC (RFC 9000 section 18), which are an extension of the TLS handshake.

They come from the events of the engine: a ClientHello, and EncryptedExtensions where they were decrypted.
"""

from collections.abc import Iterator
from typing import Final

from analyzer.codec.field_spec import Span
from analyzer.codec.field_tables import Table, spans
from analyzer.codec.varint import read_varint
from analyzer.filters.frame_view import Found, FrameView
from analyzer.filters.packet_values import Occurrence
from analyzer.tls.events import HandshakeMessage
from analyzer.tls.messages.extensions.quic_parameters import GoogleVersion, PreferredAddress, VersionInformation
from analyzer.tls.messages.numbers import CLIENT_HELLO, ENCRYPTED_EXTENSIONS

_NUMBERS: Final = {
    0x01: "max_idle_timeout",
    0x03: "max_udp_payload_size",
    0x04: "initial_max_data",
    0x05: "initial_max_stream_data_bidi_local",
    0x06: "initial_max_stream_data_bidi_remote",
    0x07: "initial_max_stream_data_uni",
    0x08: "initial_max_streams_bidi",
    0x09: "initial_max_streams_uni",
    0x0A: "ack_delay_exponent",
    0x0B: "max_ack_delay",
    0x0E: "active_connection_id_limit",
    0x20: "max_datagram_frame_size",
    0x1057: "loss_bits",
    0x3127: "google.initial_rtt",
    0xFF04DE1B: "min_ack_delay",
}
_BYTES: Final = {
    0x00: "original_destination_connection_id",
    0x02: "stateless_reset_token",
    0x0F: "initial_source_connection_id",
    0x10: "retry_source_connection_id",
    0x3128: "google.connection_options",
}
_MESSAGES: Final = frozenset({CLIENT_HELLO, ENCRYPTED_EXTENSIONS})
_USER_AGENT: Final = 0x3129
_STRUCTURES: Final = {0x0D: PreferredAddress, 0x11: VersionInformation, 0xFF73DB: VersionInformation, 0x4752: GoogleVersion}
_NAMES: Final = {
    (PreferredAddress, "ipv4_address"): "preferred_address.ipv4address",
    (PreferredAddress, "ipv4_port"): "preferred_address.ipv4port",
    (PreferredAddress, "ipv6_address"): "preferred_address.ipv6address",
    (PreferredAddress, "ipv6_port"): "preferred_address.ipv6port",
    (PreferredAddress, "connection_id"): "preferred_address.connectionid",
    (PreferredAddress, "stateless_reset_token"): "preferred_address.statelessresettoken",
    (VersionInformation, "chosen_version"): "vi.chosen_version",
    (VersionInformation, "available_versions"): "vi.other_version",
    (GoogleVersion, "version"): "google.quic_version",
    (GoogleVersion, "supported_versions"): "google.supported_version",
}


class QuicParameterFields:
    """The source of `tls.quic.*`."""

    def take(self, view: FrameView) -> None:
        """See `Source.take`."""

    def find(self, view: FrameView) -> Found:
        """See `Source.find`."""
        found: Found = {}
        for event in view.events:
            if isinstance(event, HandshakeMessage) and event.type in _MESSAGES and event.body is not None:
                for span in _parameters(spans(type(event.body), event.raw, 4, len(event.raw), 0)):
                    _read_parameter(span, event.raw, found)
        return found


def _parameters(found: list[Span]) -> Iterator[Span]:
    """Yield the transport parameters in the fields of a message."""
    for span in found:
        if span.name == "transport_parameters":
            yield from span.children
        else:
            yield from _parameters(span.children)


def _add(found: Found, name: str, value: object, raw: bytes) -> None:
    found.setdefault(f"tls.quic.parameter.{name}", []).append(Occurrence(value, raw, 1))  # type: ignore[arg-type]


def _read_parameter(span: Span, raw: bytes, found: Found) -> None:
    octets = raw[span.start : span.end]
    kind = read_varint(octets, 0)
    length = None if kind is None else read_varint(octets, kind[1])
    if kind is None or length is None:
        return
    number, value = kind[0], octets[length[1] :]
    _add(found, "type", number, octets[: kind[1]])
    _add(found, "length", length[0], octets[kind[1] : length[1]])
    if value:
        _add(found, "value", value, value)
    if number in _NUMBERS:
        read = read_varint(value, 0)
        if read is not None:
            _add(found, _NUMBERS[number], read[0], value)
    elif number in _BYTES:
        _add(found, _BYTES[number], value, value)
    elif number == _USER_AGENT:
        _add(found, "google.user_agent", value.decode("utf-8", "replace"), value)
    elif number in _STRUCTURES:
        _read_structure(_STRUCTURES[number], value, found)


def _read_structure(table: Table, value: bytes, found: Found) -> None:
    for span in spans(table, value, 0, len(value), 0):
        name = _NAMES[table, span.name]
        entries = span.children or [span]
        for one in entries:
            octets = value[one.start : one.end]
            if name == "preferred_address.connectionid":
                _add(found, f"{name}.length", octets[0], octets[:1])
                octets = octets[1:]
            is_bytes = isinstance(one.value, bytes)
            if octets:
                _add(found, name, octets if is_bytes else one.value, octets)
