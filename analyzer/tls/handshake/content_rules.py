"""Has the rules about the content of handshake messages after the hellos: what was not offered, and wrong values.

In TLS 1.3 these messages are encrypted, so they are checked only with secrets. Up to TLS 1.2 the key exchange of a server shows
its curve and its signature scheme to everybody. Each rule looks at one message and at the client's offer.
"""

from collections.abc import Iterator
from typing import Any

from analyzer.codec.registry import registry
from analyzer.tls.handshake.answer_rules import (
    agreed_contents,
    misplaced_extensions,
    not_offered,
    unasked_extensions,
    wrong,
)
from analyzer.tls.handshake.client_offer import SERVER_CERTIFICATE_TYPE, Breach, ClientOffer
from analyzer.tls.handshake.key_exchange import exchanged_group
from analyzer.tls.handshake.message_order import rule
from analyzer.tls.handshake.offer_rules import extension_name, repeated_extensions
from analyzer.tls.handshake.parameters import Request
from analyzer.tls.messages.numbers import EARLY_DATA, SIGNATURE_ALGORITHMS
from analyzer.tls.suites import Suite

LONGEST_LIFETIME = 604_800
"""Seconds that a ticket of TLS 1.3 can be used: seven days (RFC 9846 section 4.7.1)."""

LAST_REQUEST = 1
"""The largest value of request_update in a KeyUpdate (RFC 9846 section 4.7.3)."""

SEQUENCE, OBJECT_IDENTIFIER, LONG_LENGTH = 0x30, 0x06, 0x80

_SIGNATURES = ("RSA", "DSS", "ECDSA")
_LAST_HASH = 6
_RSA_PSS = frozenset({0x0804, 0x0805, 0x0806, 0x0809, 0x080A, 0x080B})
_OF_CURVES = frozenset({0x0807, 0x0808, 0x081A, 0x081B, 0x081C})

FORBIDDEN_13 = frozenset({0x0401, 0x0501, 0x0601} | {hashed << 8 | key for hashed in (1, 2, 3) for key in (1, 2, 3)})
"""RSASSA-PKCS1-v1_5, and signatures with MD5, SHA-1 and SHA-224, which TLS 1.3 has in certificates at most (RFC 9846 section
4.3.3)."""


def extensions_breaches(extensions: Any, offer: ClientOffer | None, selected: int | None) -> Iterator[Breach]:
    """Yield what EncryptedExtensions break. selected: index of the pre-shared key that was chosen, -1 for none, None if that
    is not known."""
    name = "EncryptedExtensions"
    types = [extension.type for extension in extensions.extensions or ()]
    yield from repeated_extensions(name, types, rule(9846, "4.3"))
    yield from misplaced_extensions(name, types)
    yield from agreed_contents(extensions, offer)
    if offer is not None:
        yield from unasked_extensions(name, types, offer, True)
    if EARLY_DATA not in types or selected is None:
        return
    if selected < 0:
        yield wrong(f"the server accepts early data, and has chosen no pre-shared key ({rule(9846, '4.3.10')})")
    elif selected > 0:
        detail = (
            f"the server accepts early data, and has chosen the pre-shared key with index {selected}, not the first one "
            f"({rule(9846, '4.3.10')})"
        )
        yield wrong(detail)


def certificate_breaches(certificate: Any, offer: ClientOffer | None, agreed: tuple[int, ...] | None) -> Iterator[Breach]:
    """Yield what a server's Certificate of TLS 1.3 breaks. agreed: extension types of EncryptedExtensions, or None."""
    if certificate.certificate_request_context:
        yield wrong(
            f"the Certificate of the server has a certificate_request_context that is not empty ({rule(9846, '4.5.1')})"
        )
    for entry in certificate.certificate_list:
        if not entry.extensions:
            continue
        types = [extension.type for extension in entry.extensions]
        yield from repeated_extensions("Certificate", types, rule(9846, "4.3"))
        yield from misplaced_extensions("Certificate", types)
        if offer is not None:
            yield from unasked_extensions("Certificate", types, offer, True)
    first = certificate.certificate_list[0].cert_data if certificate.certificate_list else b""
    if agreed is not None and SERVER_CERTIFICATE_TYPE not in agreed and is_raw_key(first):
        detail = (
            f"the server sent a raw public key instead of a certificate, and no such certificate type was agreed on "
            f"({rule(7250, '4.2')})"
        )
        yield Breach("not_offered", "medium", detail)


def is_raw_key(der: bytes) -> bool:
    """Return whether a SEQUENCE in DER begins as a SubjectPublicKeyInfo: with a SEQUENCE that begins with an object identifier.

    A certificate begins with a SEQUENCE that begins with a version or a serial number (RFC 5280 section 4.1).
    """
    pos = 0
    for _ in range(2):
        if len(der) < pos + 2 or der[pos] != SEQUENCE:
            return False
        length = der[pos + 1]
        pos += 2 + (length - LONG_LENGTH if length > LONG_LENGTH else 0)
    return len(der) > pos and der[pos] == OBJECT_IDENTIFIER


def request_breaches(request: Any, later: bool, requests: tuple[Request, ...] = ()) -> Iterator[Breach]:
    """Yield what a CertificateRequest of TLS 1.3 breaks.

    later: whether it comes after the handshake. requests: all that are known, this one too.
    """
    if [context for context, _, _ in requests].count(request.certificate_request_context) > 1:
        yield wrong(f"two requests for a certificate have the same certificate_request_context ({rule(9846, '4.4.2')})")
    types = [extension.type for extension in request.extensions or ()]
    yield from repeated_extensions("CertificateRequest", types, rule(9846, "4.3"))
    yield from misplaced_extensions("CertificateRequest", types)
    if SIGNATURE_ALGORITHMS not in types:
        yield wrong(f"the CertificateRequest has no signature_algorithms ({rule(9846, '4.4.2')})")
    if request.certificate_request_context and not later:
        detail = (
            f"the CertificateRequest has a certificate_request_context that is not empty in the handshake "
            f"({rule(9846, '4.4.2')})"
        )
        yield wrong(detail)


def exchange_breaches(exchange: Any, offer: ClientOffer | None, chosen: Suite | None) -> Iterator[Breach]:
    """Yield what a ServerKeyExchange breaks: its curve, its scheme, and the kind of key that it is signed with."""
    group = exchanged_group(exchange)
    if offer is not None and group >= 0 and offer.groups is not None and group not in offer.groups:
        yield not_offered("group", registry("supported_groups").name(group), rule(8422, "5.4"))
    scheme = getattr(getattr(exchange, "signed_params", None), "algorithm", None)
    if scheme is None:
        return
    if offer is not None and offer.schemes is not None:
        yield from scheme_breaches(1, scheme, offer.schemes, False)
    kind = _kind(scheme)
    if chosen is not None and kind and chosen.authentication in _SIGNATURES and chosen.authentication != kind:
        name = registry("signature_schemes").name(scheme)
        needs = f"and the cipher suite {chosen.name} needs a key of the kind {chosen.authentication}"
        yield wrong(f"the server signed with {name}, {needs} ({rule(5246, '7.4.3')})")


def _kind(scheme: int) -> str:
    """Return which kind of key a signature scheme needs, as cipher suites name it; "" if that is not known."""
    if scheme in _RSA_PSS:
        return "RSA"
    if scheme in _OF_CURVES:
        return "ECDSA"
    signature = scheme & 0xFF
    if scheme >> 8 <= _LAST_HASH and 1 <= signature <= len(_SIGNATURES):
        return _SIGNATURES[signature - 1]
    return ""


def scheme_breaches(role: int, scheme: int, offered: tuple[int, ...], tls13: bool) -> Iterator[Breach]:
    """Yield a signature by a scheme that the other side did not offer. role: who signed."""
    if scheme not in offered:
        name = registry("signature_schemes").name(scheme)
        if role:
            where = rule(9846, "4.5.2") if tls13 else rule(5246, "7.4.3")
            yield Breach("not_offered", "medium", f"the server signed with {name}, which the client did not offer ({where})")
        else:
            where = rule(9846, "4.5.2") if tls13 else rule(5246, "7.4.8")
            yield Breach("not_offered", "medium", f"the client signed with {name}, which the server did not offer ({where})")


def forbidden_breaches(role: int, scheme: int) -> Iterator[Breach]:
    """Yield a CertificateVerify of TLS 1.3 with a scheme that is for certificates only. role: who signed."""
    if scheme in FORBIDDEN_13:
        who, name = "server" if role else "client", registry("signature_schemes").name(scheme)
        yield wrong(f"the {who} signed its CertificateVerify with {name}, which TLS 1.3 forbids there ({rule(9846, '4.3.3')})")


def client_breaches(certificate: Any, requests: tuple[Request, ...]) -> Iterator[Breach]:
    """Yield what a Certificate of a client of TLS 1.3 has that no request asks for. requests: empty if none is known."""
    context = certificate.certificate_request_context
    asked = [types for one, types, _ in requests if one == context]
    for number in dict.fromkeys(
        extension.type for entry in certificate.certificate_list if asked for extension in entry.extensions or ()
    ):
        if not any(number in types for types in asked):
            detail = (
                f"the Certificate of the client has the extension {extension_name(number)}, which the server did not request "
                f"({rule(9846, '4.5.1')})"
            )
            yield Breach("not_offered", "medium", detail)
    if requests and not asked:
        detail = (
            f"the Certificate of the client has the certificate_request_context 0x{context.hex()}, which no request has "
            f"({rule(9846, '4.5.1')})"
        )
        yield wrong(detail)


def compression_breaches(role: int, algorithm: int, accepted: tuple[int, ...]) -> Iterator[Breach]:
    """Yield a CompressedCertificate whose algorithm is not one of those that the peer accepts. role: who sent it."""
    if algorithm not in accepted:
        name, who = registry("certificate_compression_algorithms").name(algorithm), "server" if role else "client"
        detail = f"the {who} compressed its certificate with {name}, which the other side did not offer ({rule(8879, '4')})"
        yield Breach("not_offered", "medium", detail)


def ticket_breaches(ticket: Any) -> Iterator[Breach]:
    """Yield what a NewSessionTicket of TLS 1.3 breaks."""
    lifetime = getattr(ticket, "ticket_lifetime", None)
    if lifetime is not None and lifetime > LONGEST_LIFETIME:
        detail = (
            f"the ticket has a lifetime of {lifetime} seconds, over the {LONGEST_LIFETIME} of seven days "
            f"({rule(9846, '4.7.1')})"
        )
        yield wrong(detail)


def update_breaches(update: Any, role: int) -> Iterator[Breach]:
    """Yield what a KeyUpdate breaks. role: who sent it."""
    value = update.request_update
    if value > LAST_REQUEST:
        who = "server" if role else "client"
        yield wrong(f"the {who} sent a KeyUpdate with request_update {value}, which is neither 0 nor 1 ({rule(9846, '4.7.3')})")
