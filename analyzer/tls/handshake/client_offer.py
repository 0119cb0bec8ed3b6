"""Keeps what a ClientHello offers, so that the server's answer can be compared with it (RFC 9846 section 4.2.2).

Clients send few kinds of hello. So what does not depend on the connection is read once for a kind, and all its sessions share
it, together with what is wrong with this kind of hello (`offer_rules`). Randoms, names, keys, tickets and pre-shared keys are
no part of it. Only a ClientHello that is whole and was read without a problem has an offer: without one, nothing is compared.
"""

from dataclasses import dataclass
from typing import Any

from analyzer.codec.registry import is_grease
from analyzer.tls.messages.hello import ClientHello, DTLSClientHello
from analyzer.tls.messages.numbers import (
    ALPN,
    KEY_SHARE,
    KEY_SHARE_DRAFT,
    POINT_FORMATS,
    RECORD_SIZE_LIMIT,
    RENEGOTIATION_INFO,
    SIGNATURE_ALGORITHMS,
    SIGNATURE_ALGORITHMS_CERT,
    SUPPORTED_GROUPS,
    SUPPORTED_VERSIONS,
    TLS_1_3,
    TLS_OF_DTLS,
)

MAX_FRAGMENT_LENGTH, HEARTBEAT, CLIENT_CERTIFICATE_TYPE, SERVER_CERTIFICATE_TYPE = 1, 15, 19, 20
PSK_KEY_EXCHANGE_MODES = 45

X509 = 0
"""The certificate type without an agreement (registry `certificate_types`)."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that a message breaks: code, severity and detail of the finding."""

    code: str
    severity: str
    detail: str


@dataclass(frozen=True, slots=True)
class ClientOffer:
    """What a ClientHello offers; the numbers are those of the wire, without GREASE (RFC 8701), except in `types`.

    Of a version of DTLS it is the number of the version of TLS on which that is based.

    types: of its extensions, in order. versions: of supported_versions, None without it. groups, schemes, certificate_schemes,
    shares, protocols, point_formats, psk_modes: None without the extension. fragment_length: the code of max_fragment_length,
    None without it. server_certificate_types, client_certificate_types: X.509 alone without the extension. heartbeat: its
    mode, and record_size_limit: in bytes; None without them. renegotiated: content of renegotiation_info. breaches: of the
    hello.
    """

    legacy_version: int
    suites: tuple[int, ...]
    compression: tuple[int, ...]
    types: tuple[int, ...]
    versions: tuple[int, ...] | None
    groups: tuple[int, ...] | None
    schemes: tuple[int, ...] | None
    certificate_schemes: tuple[int, ...] | None
    shares: tuple[int, ...] | None
    protocols: tuple[bytes, ...] | None
    point_formats: tuple[int, ...] | None
    psk_modes: tuple[int, ...] | None
    fragment_length: int | None
    server_certificate_types: tuple[int, ...]
    client_certificate_types: tuple[int, ...]
    heartbeat: int | None
    record_size_limit: int | None
    renegotiated: bytes
    breaches: tuple[Breach, ...] = ()

    @property
    def offers_13(self) -> bool:
        """Whether it offers TLS 1.3 itself; drafts have other rules."""
        return self.versions is not None and TLS_1_3 in self.versions


def client_offer(hello: Any) -> ClientOffer | None:
    """Return what a ClientHello offers that was read without a problem; None for another message."""
    if not isinstance(hello, ClientHello | DTLSClientHello):
        return None
    bodies: dict[int, Any] = {}
    for extension in hello.extensions or ():
        bodies.setdefault(extension.type, extension.body)
    shares = bodies.get(KEY_SHARE) or bodies.get(KEY_SHARE_DRAFT)
    versions = _listed(bodies.get(SUPPORTED_VERSIONS), "versions")
    protocols = getattr(bodies.get(ALPN), "protocol_name_list", None)
    return ClientOffer(
        TLS_OF_DTLS.get(hello.legacy_version, hello.legacy_version),
        without_grease(hello.cipher_suites),
        tuple(hello.legacy_compression_methods),
        tuple(extension.type for extension in hello.extensions or ()),
        None if versions is None else tuple(TLS_OF_DTLS.get(one, one) for one in versions),
        _listed(bodies.get(SUPPORTED_GROUPS), "named_group_list"),
        _listed(bodies.get(SIGNATURE_ALGORITHMS), "supported_signature_algorithms"),
        _listed(bodies.get(SIGNATURE_ALGORITHMS_CERT), "supported_signature_algorithms"),
        None if shares is None else without_grease([entry.group for entry in shares.client_shares]),
        None if protocols is None else tuple(protocols),
        _listed(bodies.get(POINT_FORMATS), "ec_point_format_list"),
        _listed(bodies.get(PSK_KEY_EXCHANGE_MODES), "ke_modes"),
        getattr(bodies.get(MAX_FRAGMENT_LENGTH), "max_fragment_length", None),
        _listed(bodies.get(SERVER_CERTIFICATE_TYPE), "server_certificate_types") or (X509,),
        _listed(bodies.get(CLIENT_CERTIFICATE_TYPE), "client_certificate_types") or (X509,),
        getattr(bodies.get(HEARTBEAT), "mode", None),
        getattr(bodies.get(RECORD_SIZE_LIMIT), "record_size_limit", None),
        getattr(bodies.get(RENEGOTIATION_INFO), "renegotiated_connection", None) or b"",
    )


def without_grease(numbers: Any) -> tuple[int, ...]:
    """Return numbers of 16 bits without those that RFC 8701 reserves: no server may choose them."""
    return tuple(number for number in numbers if not is_grease(number))


def _listed(body: Any, name: str) -> tuple[int, ...] | None:
    """Return a list of numbers in the body of an extension; None without it."""
    numbers = getattr(body, name, None)
    return None if numbers is None else without_grease(numbers)
