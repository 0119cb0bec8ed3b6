"""Reads certificates from handshake messages, and the data sent with them: OCSP responses and certificate timestamps.

They are in Certificate and CompressedCertificate (RFC 8879), in CertificateStatus (RFC 6066 section 8), and in extensions. If a
message could not be read completely, its fields may be None. Such fields are ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from analyzer.codec.errors import ParseError
from analyzer.codec.runner import extension_body
from analyzer.tls.handshake.compressed_certificate import decompressed
from analyzer.tls.handshake.hello_features import shared
from analyzer.tls.limits import MAX_STAPLE, MAX_STAPLES
from analyzer.tls.messages.numbers import SIGNED_CERTIFICATE_TIMESTAMP, STATUS_REQUEST

if TYPE_CHECKING:
    import cython

OCSP, OCSP_MULTI = 1, 2

CUT = b""
"""What stands in a list for a certificate whose bytes are not all there. Those before it are whole."""

Staple: TypeAlias = tuple[int, int, str, bytes]
"""(role that sent it, index of the certificate in the list, `ocsp` or `scts`, the bytes)."""


def certificates_of(kept: list[Staple], role: cython.int, message: Any, problems: list[ParseError]) -> Any:
    """Return a message with certificates, or with data that belongs to them, decompressed; keep the stapled data."""
    message = uncompressed(message, problems)
    staple(kept, role, message)
    return message


def collect(handshake: Any, role: cython.int, message: Any, frame: cython.longlong) -> None:
    """Keep a role's first certificates in its `SessionHandshake`, and note if it sends others later."""
    listed = certificate_list(message)
    first = handshake.certificates[role]
    if getattr(message, "certificate_list", None) == []:
        handshake.roles[role].sent.empty()
    if not first:
        handshake.certificates[role] = listed
    elif listed and listed != first and CUT not in listed and CUT not in first:
        handshake.log.add_certificate_change(role, listed, first, frame)
    if listed and not handshake.transcript.complete:
        handshake.transcript.certificates[role] = listed[0] or None


def uncompressed(certificate: Any, problems: list[ParseError]) -> Any:
    """Return the message inside a CompressedCertificate, None if it cannot be decompressed.

    Any other message is returned unchanged.
    """
    if getattr(certificate, "compressed_certificate_message", None) is None:
        return certificate
    message, found = decompressed(certificate)
    problems.extend(found)
    return message


def certificate_list(certificate: Any) -> list[bytes] | None:
    """Return the certificates of a Certificate message, in DER, in the order sent; None if the message has something else.

    For a message with a raw public key, return that key (RFC 7250). A certificate that the capture has only in part is CUT.
    Equal certificates are one object. So a thousand sessions of a server keep only one copy and hash it once.
    """
    entries = getattr(certificate, "certificate_list", None)
    if entries is None:
        key = getattr(certificate, "asn1_subject_public_key_info", None)
        return None if key is None else [shared(key, len(key) >> 4)]
    listed = [entry if isinstance(entry, bytes) else getattr(entry, "cert_data", None) for entry in entries]
    return [CUT if der is None else shared(der, len(der) >> 4) for der in listed]


def staple(kept: list[Staple], role: cython.int, message: Any) -> None:
    """Keep what a message has in addition to certificates: OCSP responses and lists of certificate timestamps.

    They are in a CertificateStatus (RFC 6066 section 8, RFC 6961), in the extensions of a ServerHello (RFC 6962 section 3.3) or
    with each certificate of TLS 1.3 (RFC 9846 section 4.5.1.1).
    """
    if getattr(message, "response", None) is not None:
        keep_responses(kept, role, 0, message)
        return
    entries = getattr(message, "certificate_list", None)
    if entries is None:
        keep_timestamps(kept, role, 0, message)
        return
    for place, entry in enumerate(entries):
        if not isinstance(entry, bytes) and getattr(entry, "extensions", None):
            keep_responses(kept, role, place, extension_body(entry, STATUS_REQUEST))
            keep_timestamps(kept, role, place, entry)


def keep_responses(kept: list[Staple], role: cython.int, place: cython.int, status: Any) -> None:
    """Keep one OCSP response, or one for each certificate in order.

    An empty one means that there is none for this certificate.
    """
    kind = getattr(status, "status_type", None)
    if kind == OCSP:
        responses = [status.response]
    elif kind == OCSP_MULTI:
        responses = status.response or []
    else:
        return
    for one in responses:
        if one:
            keep(kept, (role, place, "ocsp", one))
        place += 1


def keep_timestamps(kept: list[Staple], role: cython.int, place: cython.int, message: Any) -> None:
    """Keep the SignedCertificateTimestampList among the extensions of a message."""
    body = extension_body(message, SIGNED_CERTIFICATE_TIMESTAMP)
    if body is not None and getattr(body, "sct_list", None):
        keep(kept, (role, place, "scts", body.write()))


def keep(kept: list[Staple], staple: Staple) -> None:
    """Keep one staple, within limits; equal ones are one object."""
    if len(kept) < MAX_STAPLES and len(staple[3]) <= MAX_STAPLE:
        kept.append((staple[0], staple[1], staple[2], shared(staple[3], len(staple[3]) >> 4)))
