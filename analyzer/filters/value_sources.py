"""Which source finds a field: the list in which the field is declared has one source."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module

from analyzer.filters.field import Field
from analyzer.filters.frame_view import Source
from analyzer.filters.value_strings import rows, type_of, value_strings

LISTS = {
    "frame_fields": "FrameFields",
    "pair_fields": "PairFields",
    "trailer_fields": "TrailerFields",
    "ipv6_options": "Ipv6Options",
    "protocol_fields": "ProtocolFields",
    "icmp_fields": "IcmpFields",
    "tcp_fields": "TcpFields",
    "segment_fields": "SegmentFields",
    "tls_fields": "TlsFields",
    "dtls_fields": "DtlsFields",
    "dns_fields": "DnsFields",
    "eap_fields": "EapFields",
    "quic_fields": "QuicFields",
    "quic_packet_fields": "QuicPacketFields",
    "quic_parameter_fields": "QuicParameterFields",
    "scapy_fields": "ScapyFields",
    "dhcp_options": "ScapyFields",
    "certificate_fields": "CertificateFields",
    "ocsp_fields": "OcspFields",
    "http2_fields": "Http2Fields",
    "http3_fields": "Http3Fields",
    "websocket_fields": "WebsocketFields",
    "http_fields": "HttpFields",
    "file_data_fields": "FileDataFields",
    "session_fields": "SessionFields",
}
"""The lists of fields (`*.csv`), and the class that finds them, in the module of the same name, or in that of `MODULES`."""

MODULES = {"dhcp_options": "scapy_fields"}
"""The modules of lists whose class is in another one."""

FROM_EVENTS = frozenset({"certificate_fields", "quic_packet_fields", "quic_parameter_fields", "tls_fields"})
"""The lists whose fields are in the events of one frame, and need nothing of the frames before it."""

NEEDS_ENGINE = FROM_EVENTS | {
    "dtls_fields",
    "file_data_fields",
    "http2_fields",
    "http3_fields",
    "ocsp_fields",
    "protocol_fields",
    "segment_fields",
    "websocket_fields",
}
"""The lists whose fields are in what the engine reassembles or decrypts."""
WITH_BYTES = frozenset({"tls", "tls.app_data", "tls.stream"})
"""Fields of these lists whose values are bytes of the frame, which its events do not have."""

NEEDS_FACTS = frozenset(
    {
        "file_data_fields",
        "http2_fields",
        "http_fields",
        "ocsp_fields",
        "protocol_fields",
        "segment_fields",
        "session_fields",
        "websocket_fields",
    }
)
"""The lists whose fields need to know what comes behind the frame."""

_WITH_RECORDS = frozenset({"protocol_fields", "segment_fields"})
"""Further lists whose fields hang on records of TLS."""

_FROM_FRAMES_BEFORE = frozenset(
    {"frame.time_delta", "frame.time_delta_displayed", "frame.time_relative", "quic.connection.number"}
)


def source_of(name: str) -> Callable[[], Source]:
    """Return the class of the source of a field that is no header field. Raises KeyError for a field without one."""
    return _source(_list_of(name))


def needs_engine(name: str) -> bool:
    """Return whether a field that is no header field needs an engine."""
    return _list_of(name) in NEEDS_ENGINE


def is_from_events(name: str) -> bool:
    """Return whether a field that is no header field is known from the events of an engine alone."""
    return _list_of(name) in FROM_EVENTS and name not in WITH_BYTES and name not in _FROM_FRAMES_BEFORE


def is_in_messages(name: str) -> bool:
    """Return whether a field is in handshake messages alone, or in the certificates that they carry."""
    return name.startswith("tls.handshake.") or _list_of(name) in ("certificate_fields", "quic_parameter_fields")


def needs_records(name: str) -> bool:
    """Return whether a field that is no header field hangs on the positions of records, and not on handshake messages alone."""
    where = _list_of(name)
    return where in _WITH_RECORDS or (where in FROM_EVENTS and not is_in_messages(name))


def is_of_one_frame(name: str) -> bool:
    """Return whether a field that is no header field is known without the frames before it, of which only the engine knows."""
    return is_from_events(name) or (_list_of(name) == "frame_fields" and name not in _FROM_FRAMES_BEFORE)


def needs_facts(name: str) -> bool:
    """Return whether a field that is no header field needs a first reading of the capture (`capture_facts`)."""
    return _list_of(name) in NEEDS_FACTS


def listed_fields() -> Iterator[Field]:
    """Yield the fields of all lists."""
    for name in LISTS:
        for row in rows(name):
            kind, bits = type_of(row["type"])
            yield Field(row["name"], kind, row["label"], value_strings(row["values"]), row["base"] or "none", bits)
    for more in _message_fields():
        yield from more.values()


def _message_fields() -> tuple[Mapping[str, Field], Mapping[str, Field]]:
    from analyzer.filters.handshake_fields import datagram_fields, message_fields

    return message_fields(), datagram_fields()


@cache
def _places() -> dict[str, str]:
    of_tls, of_dtls = _message_fields()
    places = dict.fromkeys(of_tls, "tls_fields") | dict.fromkeys(of_dtls, "dtls_fields")
    return places | {row["name"]: name for name in LISTS for row in rows(name)}


def _list_of(name: str) -> str:
    return _places()[name]


@cache
def _source(name: str) -> Callable[[], Source]:
    found: Callable[[], Source] = getattr(import_module(f"analyzer.filters.{MODULES.get(name, name)}"), LISTS[name])
    return found
