"""The values of one handshake message under the names of TLS: its rows, and what follows from them.

What follows are the timestamps in its certificates (RFC 6962), the parts of its random and of its signature algorithms, and the
fingerprints of hellos. The fields of DTLS are the same under other names (`dtls_fields`).
"""

from typing import Any

from analyzer.analysis.fingerprints import ja3_text, ja3s_text, ja4_text
from analyzer.codec.field_tables import spans
from analyzer.filters.certificate_fields import certificates_of
from analyzer.filters.compressed_certificates import uncompressed
from analyzer.filters.extension_grammar import sct_list
from analyzer.filters.frame_view import Found
from analyzer.filters.handshake_fields import OF_EXTENSIONS, names_of_table, read_message
from analyzer.filters.packet_values import Occurrence
from analyzer.store.session_record import hello_fingerprints, server_fingerprint
from analyzer.tls.events import Event, HandshakeMessage
from analyzer.tls.handshake import hello_features
from analyzer.tls.messages.extensions.about_certificates import SignedCertificateTimestampList
from analyzer.tls.messages.hello import DTLSClientHello, HelloVerifyRequest, ServerHello
from analyzer.tls.messages.numbers import (
    CERTIFICATE,
    CLIENT_HELLO,
    QUIC_TRANSPORT_PARAMETERS,
    SERVER_HELLO,
    SUPPORTED_VERSIONS,
    TLS_OF_DTLS,
)

_DTLS = (0xFE, 0x01)
"""The first bytes of versions of DTLS; the second is that of OpenSSL before the RFC."""

_DRAFT_PARAMETERS = 0xFFA5
"""The extension of the drafts of QUIC for QUIC_TRANSPORT_PARAMETERS."""

_SECOND = 1_000_000_000
_OF_TIMESTAMPS = ("tls.sct.", "tls.handshake.sig_hash_")

_FINGERPRINTS = frozenset(
    {
        "tls.handshake.ja3",
        "tls.handshake.ja3_full",
        "tls.handshake.ja3s",
        "tls.handshake.ja3s_full",
        "tls.handshake.ja4",
        "tls.handshake.ja4_r",
    }
)

_DERIVED = {
    "tls.handshake.sig_hash_hash": ("tls.handshake.sig_hash_alg",),
    "tls.handshake.sig_hash_sig": ("tls.handshake.sig_hash_alg",),
}
"""Fields that are made of the values of others."""


def is_of_dtls(event: Event) -> bool:
    """Return whether an event is surely one of a session over DTLS: by its version, before that by its form."""
    if event.version:
        return event.version >> 8 in _DTLS
    return isinstance(event, HandshakeMessage) and isinstance(event.body, DTLSClientHello | HelloVerifyRequest)


def with_sources(names: frozenset[str]) -> frozenset[str]:
    """Return these names with those of the fields of which they are made."""
    return names | {own for name, of in _DERIVED.items() if name in names for own in of}


def read_values(
    message: HandshakeMessage, found: Found, names: frozenset[str] | None, letter: str = "", inner: bytes = b""
) -> None:
    """Add the values of a message in plaintext. names: those that are asked for, None for all.

    letter: what JA4 has for the transport; by default QUIC's where its transport parameters are in the hello, else TCP's.
    inner: the encoded inner hello that it carries (`inner_hellos`).
    """
    if message.body is None:
        return
    plain = uncompressed(message)
    if plain is not message:
        read_values(plain, found, names, letter)
    raw = message.raw
    if _may_have(message, names):
        read_message(spans(type(message.body), raw, 4, len(raw), 0), raw, found, names, inner)
    if message.type == CERTIFICATE and (names is None or any(name.startswith(_OF_TIMESTAMPS) for name in names)):
        _read_timestamps(message, found)
    if _has_time(message) and len(raw) >= 38:
        _add(found, "tls.handshake.random_time", int.from_bytes(raw[6:10]) * _SECOND, raw[6:10])
        _add(found, "tls.handshake.random_bytes", raw[10:38], raw[10:38])
        if inner:
            _add(found, "tls.handshake.random_time", int.from_bytes(inner[2:6]) * _SECOND, inner[2:6])
            _add(found, "tls.handshake.random_bytes", inner[6:34], inner[6:34])
    if names is None or not names.isdisjoint(_FINGERPRINTS):
        _read_fingerprints(message, found, letter)
    for one in found.get("tls.handshake.sig_hash_alg", ())[len(found.get("tls.handshake.sig_hash_hash", ())) :]:
        if isinstance(one.value, int) and one.raw is not None:
            _add(found, "tls.handshake.sig_hash_hash", one.value >> 8, one.raw[:1])
            _add(found, "tls.handshake.sig_hash_sig", one.value & 0xFF, one.raw[1:])


def _add(found: Found, name: str, value: object, raw: bytes | None = None) -> None:
    found.setdefault(name, []).append(Occurrence(value, raw, 1))  # type: ignore[arg-type]


def _read_timestamps(message: HandshakeMessage, found: Found) -> None:
    """Read the timestamps that are in the certificates of a message (RFC 6962 section 3.3)."""
    for der in certificates_of(message):
        for raw in sct_list(der):
            read_message(spans(SignedCertificateTimestampList, raw, 0, len(raw), 0), raw, found)


def _may_have(message: HandshakeMessage, names: frozenset[str] | None) -> bool:
    """Return whether a message can have one of the fields that are asked for."""
    if names is None or not names.isdisjoint(OF_EXTENSIONS):
        return True
    table: Any = type(message.body)
    return not names.isdisjoint(names_of_table(table))


def _has_time(message: HandshakeMessage) -> bool:
    """Return whether the random may begin with a time, up to TLS 1.2 (RFC 5246 section 7.4.1.2) and never in QUIC."""
    if message.type == SERVER_HELLO:
        return isinstance(message.body, ServerHello) and message.body.extension(SUPPORTED_VERSIONS) is None
    if message.type != CLIENT_HELLO or hello_features.is_tls13(TLS_OF_DTLS.get(message.version, message.version)):
        return False
    return all(message.body.extension(number) is None for number in (QUIC_TRANSPORT_PARAMETERS, _DRAFT_PARAMETERS))


def _read_fingerprints(message: HandshakeMessage, found: Found, letter: str) -> None:
    if message.problems:
        return
    if message.type == CLIENT_HELLO:
        offer = hello_features.read_fingerprint_input(message.body)
        if offer is not None:
            own, other = hello_fingerprints(offer, letter or ("q" if QUIC_TRANSPORT_PARAMETERS in offer[2] else "t"))
            _add(found, "tls.handshake.ja3", own)
            _add(found, "tls.handshake.ja4", other)
            version, suites, types, groups, formats, schemes, _, _ = offer
            _add(found, "tls.handshake.ja3_full", ja3_text(version, suites, types, groups, formats))
            _add(found, "tls.handshake.ja4_r", ja4_text(other, suites, types, schemes))
    elif message.type == SERVER_HELLO:
        answer = hello_features.server_fingerprint_input(message.body)
        if answer is not None:
            _add(found, "tls.handshake.ja3s", server_fingerprint(answer))
            _add(found, "tls.handshake.ja3s_full", ja3s_text(answer[0], answer[1], answer[2]))
