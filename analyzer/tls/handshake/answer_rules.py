"""Has the rules that compare a ServerHello or a HelloRetryRequest with the ClientHello (RFC 9846 section 4.2).

A server chooses from what the client offers, and adds no extension that the client did not send. An answer that breaks this
does not come from an implementation of TLS as the client's: it is a fault, somebody changed one of the hellos on the way, or
another protocol only looks like TLS. A client that follows the rules ends the handshake with illegal_parameter,
protocol_version or unsupported_extension.
"""

from collections.abc import Iterator
from typing import Any

from analyzer.codec.registry import is_grease, registry
from analyzer.tls.handshake.client_offer import (
    CLIENT_CERTIFICATE_TYPE,
    HEARTBEAT,
    MAX_FRAGMENT_LENGTH,
    SERVER_CERTIFICATE_TYPE,
    Breach,
    ClientOffer,
)
from analyzer.tls.handshake.hello_features import is_tls13, selected_group, selected_version
from analyzer.tls.handshake.message_order import rule
from analyzer.tls.handshake.offer_rules import (
    HEARTBEAT_MODES,
    PADDING,
    SMALLEST_LIMIT,
    UNCOMPRESSED,
    extension_name,
    repeated_extensions,
)
from analyzer.tls.messages.numbers import (
    ALPN,
    COOKIE,
    DTLS_OF_TLS,
    EARLY_DATA,
    ENCRYPT_THEN_MAC,
    KEY_SHARE,
    POINT_FORMATS,
    PRE_SHARED_KEY,
    RECORD_SIZE_LIMIT,
    RENEGOTIATION_INFO,
    SERVER_NAME,
    SESSION_TICKET,
    SIGNATURE_ALGORITHMS,
    SIGNED_CERTIFICATE_TIMESTAMP,
    SSL3,
    STATUS_REQUEST,
    SUPPORTED_GROUPS,
    SUPPORTED_VERSIONS,
    TLS_1_2,
    TLS_1_3,
    TLS_OF_DTLS,
)
from analyzer.tls.suites import Suite, suite

RENEGOTIATION_SCSV, FALLBACK_SCSV = 0x00FF, 0x5600
"""Signals in the list of cipher suites (RFC 5746, RFC 7507). The first stands for an empty renegotiation_info."""

PSK_KE = 0
"""The mode of a pre-shared key without a key exchange (registry `psk_key_exchange_modes`)."""

CERT_WITH_EXTERN_PSK, CERTIFICATE_AUTHORITIES, OID_FILTERS, POST_HANDSHAKE_AUTH, SCHEMES_CERT = 33, 47, 48, 49, 50
PSK_MODES, USE_SRTP = 45, 14

PLACES: dict[int, frozenset[str]] = {
    SERVER_NAME: frozenset({"EncryptedExtensions"}),
    MAX_FRAGMENT_LENGTH: frozenset({"EncryptedExtensions"}),
    STATUS_REQUEST: frozenset({"Certificate", "CertificateRequest"}),
    SUPPORTED_GROUPS: frozenset({"EncryptedExtensions"}),
    SIGNATURE_ALGORITHMS: frozenset({"CertificateRequest"}),
    USE_SRTP: frozenset({"EncryptedExtensions"}),
    HEARTBEAT: frozenset({"EncryptedExtensions"}),
    ALPN: frozenset({"EncryptedExtensions"}),
    SIGNED_CERTIFICATE_TIMESTAMP: frozenset({"Certificate", "CertificateRequest"}),
    CLIENT_CERTIFICATE_TYPE: frozenset({"EncryptedExtensions"}),
    SERVER_CERTIFICATE_TYPE: frozenset({"EncryptedExtensions"}),
    PADDING: frozenset(),
    RECORD_SIZE_LIMIT: frozenset({"EncryptedExtensions"}),
    CERT_WITH_EXTERN_PSK: frozenset({"ServerHello"}),
    PRE_SHARED_KEY: frozenset({"ServerHello"}),
    EARLY_DATA: frozenset({"EncryptedExtensions"}),
    SUPPORTED_VERSIONS: frozenset({"ServerHello", "HelloRetryRequest"}),
    COOKIE: frozenset({"HelloRetryRequest"}),
    PSK_MODES: frozenset(),
    CERTIFICATE_AUTHORITIES: frozenset({"CertificateRequest"}),
    OID_FILTERS: frozenset({"CertificateRequest"}),
    POST_HANDSHAKE_AUTH: frozenset(),
    SCHEMES_CERT: frozenset({"CertificateRequest"}),
    KEY_SHARE: frozenset({"ServerHello", "HelloRetryRequest"}),
}
"""In which messages of a server of TLS 1.3 an extension may be, by its type (RFC 9846 section 4.3, RFC 8449, RFC 8773)."""


EMPTY_4507 = b"\0\0"
"""An empty session_ticket as RFC 4507, which RFC 5077 replaces, encodes it: with its length."""


def answer_breaches(answer: Any, offer: ClientOffer | None, retry: bool, n_keys: int, again: bool = False) -> Iterator[Breach]:
    """Yield what a ServerHello or, with `retry`, a HelloRetryRequest breaks that was read without a problem.

    offer: what the client offers, None if it is not known. n_keys: the number of its pre-shared keys. again: whether it is a
    renegotiation.
    """
    version = selected_version(answer)
    tls13 = is_tls13(version)
    name = "HelloRetryRequest" if retry else "ServerHello"
    chosen = suite(answer.cipher_suite)
    where = rule(9846, "4.2.4") if retry else rule(9846, "4.2.3") if tls13 else rule(5246, "7.4.1.3")
    types = [extension.type for extension in answer.extensions or ()]
    yield from repeated_extensions(name, types, rule(9846, "4.3") if tls13 else rule(5246, "7.4.1.4"))
    yield from _fits(answer, version, chosen, where)
    if offer is not None:
        yield from _chosen(answer, offer, version, where)
        yield from unasked_extensions(name, types, offer, tls13)
    if version == TLS_1_3:
        yield from misplaced_extensions(name, types)
    if tls13 and not retry and offer is not None:
        yield from _keys(answer, offer, n_keys)
    elif not tls13:
        if not again and getattr(answer.extension(RENEGOTIATION_INFO), "renegotiated_connection", None):
            detail = f"the first ServerHello of the connection has a renegotiation_info that is not empty ({rule(5746, '3.4')})"
            yield wrong(detail)
        yield from _extensions_12(answer, offer, chosen)


def _fits(answer: Any, version: int, chosen: Suite | None, where: str) -> Iterator[Breach]:
    """Yield what does not fit together in an answer."""
    versions = registry("versions")
    listed = answer.extension(SUPPORTED_VERSIONS)
    if version == TLS_1_3 and TLS_OF_DTLS.get(answer.legacy_version, answer.legacy_version) != TLS_1_2:
        legacy = versions.name(answer.legacy_version)
        yield wrong(f"the server chose TLS 1.3 with the legacy_version {legacy}, not TLS 1.2 ({where})")
    elif listed is not None and SSL3 <= version < TLS_1_3:
        detail = (
            f"the server chose {_version_name(version, answer)} by supported_versions, which is for TLS 1.3 and later "
            f"({rule(9846, '4.3.1')})"
        )
        yield wrong(detail)
    if version == TLS_1_3 and answer.legacy_compression_method:
        yield wrong(f"the server chose TLS 1.3 with a compression method other than NULL ({where})")
    if chosen is None:
        return
    if version == TLS_1_3 and not chosen.tls13:
        yield wrong(f"the server chose TLS 1.3 with the cipher suite {chosen.name} of earlier versions ({where})")
    elif SSL3 <= version <= TLS_1_2 and chosen.tls13 and answer.cipher_suite >> 8 == 0x13:
        named = _version_name(version, answer)
        yield wrong(f"the server chose {named} with the cipher suite {chosen.name} of TLS 1.3 ({where})")
    elif SSL3 <= version < TLS_1_2 and _needs_12(chosen):
        needs = rule(5288, "4") if chosen.mode == "aead" else rule(5246, "1.2")
        named = _version_name(version, answer)
        detail = f"the server chose {named} with the cipher suite {chosen.name}, which needs TLS 1.2 ({needs})"
        yield wrong(detail)


def _version_name(version: int, answer: Any) -> str:
    """Return the name of the version that an answer chooses, of DTLS if it is one of DTLS."""
    dtls = answer.legacy_version in TLS_OF_DTLS
    return registry("versions").name(DTLS_OF_TLS.get(version, version) if dtls else version)


def _needs_12(chosen: Suite) -> bool:
    """Return whether a suite of earlier versions than TLS 1.3 needs TLS 1.2: an AEAD, or SHA-256 and SHA-384 in the HMAC.

    Those with pre-shared keys and CBC are allowed in every version (RFC 5487 section 3, RFC 5489 section 3.2).
    """
    return chosen.mode == "aead" or (chosen.hash in ("SHA256", "SHA384") and "PSK" not in chosen.key_exchange)


def _chosen(answer: Any, offer: ClientOffer, version: int, where: str) -> Iterator[Breach]:
    """Yield version, cipher suite and compression method that the client did not offer."""
    tls13 = is_tls13(version)
    if tls13:
        offered = version in (offer.versions or ())
    else:  # a server that knows no supported_versions goes by legacy_version
        offered = version <= offer.legacy_version or version in (offer.versions or ())
    if not offered:
        yield not_offered("version", _version_name(version, answer), rule(9846, "4.3.1") if tls13 else where)
    number = answer.cipher_suite
    if number not in offer.suites and number not in (RENEGOTIATION_SCSV, FALLBACK_SCSV):
        yield not_offered("cipher suite", registry("cipher_suites").name(number), where)
    method = answer.legacy_compression_method
    if method and method not in offer.compression and not tls13:  # NULL is always to be offered
        yield not_offered("compression method", registry("compression_methods").name(method), where)


def unasked_extensions(name: str, types: Any, offer: ClientOffer, tls13: bool) -> Iterator[Breach]:
    """Yield the extensions of a server's message that the client did not send. name: of the message."""
    where = rule(9846, "4.3") if tls13 else rule(5246, "7.4.1.4")
    for number in dict.fromkeys(types):
        if number in offer.types and not is_grease(number):
            continue
        if number == RENEGOTIATION_INFO and RENEGOTIATION_SCSV in offer.suites:
            continue
        if number in (COOKIE, SUPPORTED_VERSIONS) and name != "EncryptedExtensions":  # the version is compared itself
            continue
        detail = f"the {name} has the extension {extension_name(number)}, which the client did not offer ({where})"
        yield Breach("not_offered", "medium", detail)


def misplaced_extensions(name: str, types: Any) -> Iterator[Breach]:
    """Yield the extensions of a server's message in TLS 1.3 that must not be in it."""
    for number in dict.fromkeys(types):
        places = PLACES.get(number)
        if places is not None and name not in places:
            detail = f"the extension {extension_name(number)} must not be in the message {name} ({rule(9846, '4.3')})"
            yield Breach("misplaced_extension", "medium", detail)


def _keys(answer: Any, offer: ClientOffer, n_keys: int) -> Iterator[Breach]:
    """Yield a key share or a pre-shared key of a ServerHello in TLS 1.3 that the client did not offer."""
    group = selected_group(answer)
    selected = getattr(answer.extension(PRE_SHARED_KEY), "selected_identity", None)
    if group >= 0 and group not in (offer.shares or ()):
        name = registry("supported_groups").name(group)
        detail = f"the server chose the group {name}, for which the client sent no key share ({rule(9846, '4.3.8')})"
        yield Breach("not_offered", "medium", detail)
    if selected is not None and PRE_SHARED_KEY in offer.types and selected >= n_keys:
        detail = (
            f"the server chose the pre-shared key with index {selected}, and the client offered {n_keys} "
            f"({rule(9846, '4.3.11')})"
        )
        yield Breach("not_offered", "medium", detail)
    if group >= 0:
        return
    if selected is None:
        yield wrong(f"the ServerHello has neither a key share nor a pre-shared key ({rule(9846, '4.2.3')})")
    elif PSK_KE not in (offer.psk_modes or ()):
        yield not_offered("key exchange mode", registry("psk_key_exchange_modes").name(PSK_KE), rule(9846, "4.3.9"))


def _extensions_12(answer: Any, offer: ClientOffer | None, chosen: Suite | None) -> Iterator[Breach]:
    """Yield the extensions of a ServerHello up to TLS 1.2 whose content breaks a rule."""
    if getattr(answer.extension(SESSION_TICKET), "ticket", None) not in (None, b"", EMPTY_4507):
        yield wrong(f"the ServerHello has a session_ticket that is not empty ({rule(5077, '3.2')})")
    formats = getattr(answer.extension(POINT_FORMATS), "ec_point_format_list", None)
    if formats is not None and UNCOMPRESSED not in formats:
        yield wrong(f"the point formats of the ServerHello lack uncompressed ({rule(8422, '5.2')})")
    if chosen is not None and chosen.mode in ("aead", "stream") and answer.extension(ENCRYPT_THEN_MAC) is not None:
        yield wrong(f"the ServerHello has encrypt_then_mac, which {chosen.name} does not allow ({rule(7366, '3')})")
    yield from agreed_contents(answer, offer)


def agreed_contents(answer: Any, offer: ClientOffer | None) -> Iterator[Breach]:
    """Yield what a server agrees on, in a ServerHello or EncryptedExtensions, that differs from the client's offer."""
    names = getattr(answer.extension(ALPN), "protocol_name_list", None)
    if names is not None and len(names) != 1:
        yield wrong(f"the server answers ALPN with {len(names)} protocols, not one ({rule(7301, '3.1')})")
    limit = getattr(answer.extension(RECORD_SIZE_LIMIT), "record_size_limit", None)
    length = getattr(answer.extension(MAX_FRAGMENT_LENGTH), "max_fragment_length", None)
    if limit is not None and limit < SMALLEST_LIMIT:
        yield wrong(f"the server answers with a record size limit of {limit} bytes, under {SMALLEST_LIMIT} ({rule(8449, '4')})")
    if limit is not None and length is not None:
        yield wrong(f"the server answers both max_fragment_length and record_size_limit ({rule(8449, '5')})")
    mode = getattr(answer.extension(HEARTBEAT), "mode", None)
    if mode is not None and mode not in HEARTBEAT_MODES:
        yield wrong(f"the server answers with the heartbeat mode {mode}, which is neither 1 nor 2 ({rule(6520, '2')})")
    if offer is None:
        return
    for one in names or ():
        if offer.protocols is not None and one not in offer.protocols:
            yield not_offered("protocol", ascii(one.decode("latin-1")), rule(7301, "3.2"))
    if length is not None and offer.fragment_length is not None and length != offer.fragment_length:
        yield not_offered("max_fragment_length", registry("max_fragment_lengths").name(length), rule(6066, "4"))
    for number, field, offered in (
        (SERVER_CERTIFICATE_TYPE, "server_certificate_type", offer.server_certificate_types),
        (CLIENT_CERTIFICATE_TYPE, "client_certificate_type", offer.client_certificate_types),
    ):
        kind = getattr(answer.extension(number), field, None)
        if kind is not None and number in offer.types and kind not in offered:
            yield not_offered("certificate type", registry("certificate_types").name(kind), rule(7250, "4.2"))


def not_offered(what: str, name: str, where: str) -> Breach:
    """Return the breach that a server chose something that the client did not offer. where: the rule."""
    return Breach("not_offered", "medium", f"the server chose {name} as the {what}, which the client did not offer ({where})")


def wrong(detail: str) -> Breach:
    """Return the breach of an answer that is wrong by itself. detail: of the finding, with the rule."""
    return Breach("faulty_answer", "medium", detail)
