"""Holds what the hellos of a session contain, and what both sides agree on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from analyzer.codec.runner import extension_body
from analyzer.tls.handshake import hello_features, key_exchange
from analyzer.tls.handshake.client_offer import ClientOffer
from analyzer.tls.handshake.ech_offer import EchOffer
from analyzer.tls.handshake.hello_features import FingerprintInput, ServerFingerprintInput
from analyzer.tls.limits import LARGEST_PLAINTEXT, MAX_REQUESTS, MAX_SHARES
from analyzer.tls.messages.numbers import (
    COMPRESS_CERTIFICATE,
    PRE_SHARED_KEY,
    QUIC_TRANSPORT_PARAMETERS,
    QUIC_TRANSPORT_PARAMETERS_DRAFT,
    TLS_1_2,
    TLS_1_3,
)
from analyzer.tls.record.content_types import APPLICATION_DATA
from analyzer.tls.suites import Suite, suite

if TYPE_CHECKING:
    import cython

UNKNOWN_NAME = b""
"""The server name of a session whose ClientHello is missing or cut. No name is empty (RFC 6066 section 3)."""

EXPANSION = 256
"""Bytes by which encryption makes a record longer: at most these in TLS 1.3 (RFC 9846 section 5.2), and few more before it."""

UNKNOWN_WAY = "unknown"
"""The resumption of a session that was resumed in a way that the capture does not show."""


Request: TypeAlias = tuple[bytes, tuple[int, ...], tuple[int, ...]]
"""A CertificateRequest of TLS 1.3: its context, the types of its extensions, the algorithms with which a certificate may be
compressed."""


class Parameters:
    """What both sides agree on: numbers from the wire, 0 or -1 before they are known.

    version: of a draft its own number, 0x7f17 for draft 23; tls13: whether that is TLS 1.3 or a draft of it. suite: the cipher
    suite with its parts, None before it is known; a renegotiation has its own. compression: of the records, 0 for none.
    dh_prime: of a DHE key exchange up to TLS 1.2, as sent; empty if there is none or it is not whole. alpn: the application
    protocol that was chosen. session_id: as the server gave it. resumption: `session_id`, `ticket`, `psk` or UNKNOWN_WAY, ""
    without one. public_key: of the server's (EC)DHE key share, empty without one. agreed: the extension types of
    EncryptedExtensions, None before they were read. exchange: the ServerKeyExchange of this handshake until it is checked.
    record_version: that records must have from the answer on, 0 where it is not known, or a draft's. fragment: bytes of
    plaintext that a record may have; longest: bytes up to which a record of application data is surely not too long.
    requested: the types of certificate that the last CertificateRequest up to TLS 1.2 accepts, None if they are not known.
    requests: see `Request`, the first ones of TLS 1.3. selected: index of the pre-shared key of TLS 1.3, -1 for none, -2 before
    the ServerHello. heartbeat: the mode of the server, 0 without one.
    """

    __slots__ = (
        "agreed", "alpn", "cipher_suite", "compression", "dh_prime", "exchange", "fragment", "group", "heartbeat", "longest",
        "public_key", "record_version", "requested", "requests", "resumption", "selected", "session_id", "suite", "tls13",
        "version",
    )  # fmt: skip

    def __init__(self) -> None:
        self.version = 0
        self.tls13 = False
        self.cipher_suite = -1
        self.suite: Suite | None = None
        self.compression = 0
        self.dh_prime = b""
        self.group = -1
        self.alpn: bytes | None = None
        self.session_id = b""
        self.resumption = ""
        self.public_key = b""
        self.agreed: tuple[int, ...] | None = None
        self.exchange: Any = None
        self.record_version = 0
        self.fragment = LARGEST_PLAINTEXT
        self.longest = LARGEST_PLAINTEXT + EXPANSION
        self.requested: tuple[int, ...] | None = None
        self.requests: tuple[Request, ...] = ()
        self.selected = -2
        self.heartbeat = 0

    def is_unusual(self, content_type: cython.int, version: cython.int, length: cython.longlong) -> cython.bint:
        """Return whether a record with that header may break a rule of the record layer (`record_check`)."""
        if length == 0 or length > (self.longest if content_type == APPLICATION_DATA else self.fragment):
            return True
        return self.record_version != version if self.record_version != 0 else version > TLS_1_2

    def take_answer(self, body: Any, whole: cython.bint) -> None:
        """Take version, suite and group from a ServerHello or a HelloRetryRequest; whole: whether all its bytes are there."""
        number = getattr(body, "cipher_suite", None)
        version: cython.int = hello_features.selected_version(body) if whole else hello_features.certain_version(body)
        if version != 0 or whole:  # else what a HelloRetryRequest said, or the records that were opened, stays
            self.version = version
        self.tls13 = hello_features.is_tls13(self.version) or (self.version == 0 and hello_features.is_suite13(number))
        self.record_version = self.version if not self.tls13 else TLS_1_2 if self.version == TLS_1_3 else 0
        if number is not None:
            self.cipher_suite = number
            self.suite = suite(number)
        group: cython.int = hello_features.selected_group(body)
        if group >= 0:
            self.group = group

    def take_server_hello(self, body: Any) -> None:
        """Take what only a ServerHello contains. In TLS 1.3 this is only the part in plaintext."""
        if not self.tls13:
            self.alpn = hello_features.alpn(body)
            self.fragment = hello_features.fragment_length(body)
            self.longest = self.fragment + EXPANSION
            self.compression = getattr(body, "legacy_compression_method", None) or 0
            self.session_id = getattr(body, "legacy_session_id_echo", None) or b""
            self.heartbeat = hello_features.heartbeat_mode(body)
        else:
            self.public_key = hello_features.server_key_share(body)
            chosen = body.extension(PRE_SHARED_KEY)
            self.selected = -1
            if chosen is not None:
                self.resumption = "psk"
                self.selected = getattr(chosen, "selected_identity", None) or 0

    def take_extensions(self, body: Any, whole: cython.bint) -> None:
        """Take what EncryptedExtensions say beside the application protocol."""
        self.agreed = hello_features.extension_types(body) if whole else None
        self.heartbeat = hello_features.heartbeat_mode(body)

    def take_key_exchange(self, body: Any, whole: cython.bint) -> None:
        """Take the group, or else the prime, and the public key of a ServerKeyExchange, if they are the first.

        whole: whether it was read without a problem.
        """
        self.exchange = body if whole else None
        if self.group < 0:
            self.group = key_exchange.exchanged_group(body)
        if self.group < 0 and whole:
            self.dh_prime = key_exchange.exchanged_prime(body)
        if not self.public_key:
            self.public_key = key_exchange.server_public_key(body)

    def take_request(self, body: Any, whole: cython.bint) -> tuple[Any, ...] | None:
        """Take the certificate types of a CertificateRequest. Return the signature schemes that it accepts, None for none."""
        types = getattr(body, "certificate_types", None)
        self.requested = None if types is None or not whole else tuple(types)
        context = getattr(body, "certificate_request_context", None)
        if context is not None and len(self.requests) < MAX_REQUESTS:
            algorithms = getattr(body.extension(COMPRESS_CERTIFICATE), "algorithms", None) or ()
            self.requests = (*self.requests, (context, hello_features.extension_types(body), tuple(algorithms)))
        return hello_features.requested_schemes(body) if whole else None


class Hellos:
    """What the hellos contain.

    client_seen, server_seen: whether a ClientHello and a ServerHello were seen; client_whole: whether the first one has all its
    bytes. fingerprint_input, server_fingerprint_input: of the first ClientHello and the last ServerHello. offer: what the first
    ClientHello offers, None if it is not whole, or may not be the first. server_name: the one that the client requests. offers:
    what it offers for resumption or hides, see `hello_features.offers`; offers_early: whether it offers early data. ech: its
    offer of Encrypted Client Hello. public_keys: of the client's (EC)DHE key shares. exchange: the ClientKeyExchange until it
    is checked. over_udp: whether there can be transport parameters of QUIC; transport: those of each role, None without.
    """

    __slots__ = (
        "client_seen", "client_whole", "ech", "exchange", "fingerprint_input", "offer", "offers", "offers_early", "over_udp",
        "public_keys", "server_fingerprint_input", "server_name", "server_seen", "transport",
    )  # fmt: skip

    def __init__(self, over_udp: cython.bint = False) -> None:
        self.over_udp = over_udp
        self.client_seen = False
        self.client_whole = False
        self.server_seen = False
        self.fingerprint_input: FingerprintInput | None = None
        self.server_fingerprint_input: ServerFingerprintInput | None = None
        self.offer: ClientOffer | None = None
        self.server_name: bytes | None = None
        self.offers: dict[int, Any] | None = None
        self.offers_early = False
        self.ech: EchOffer | None = None
        self.public_keys: tuple[bytes, ...] = ()
        self.exchange: Any = None
        self.transport: list[Any] = [None, None]

    def take_client_hello(self, body: Any, raw: bytes, fits: cython.bint, whole: cython.bint, first: cython.bint) -> None:
        """Process a ClientHello.

        fits: whether it was read without a problem; whole: whether all its bytes are there. first: whether no other can have
        been before it.
        """
        if not self.client_seen:
            self.client_seen = True
            self.client_whole = whole
            if whole and first:
                self.fingerprint_input, self.offer = hello_features.known_hello(body, raw, fits)
            if self.over_udp:
                self.transport[0] = transport_parameters(body)
        if self.server_name is None:
            self.server_name = hello_features.server_name(body)
        if not self.server_seen:
            self.offers = hello_features.offers(body)
            self.public_keys = hello_features.key_shares(body)

    def take_extensions(self, body: Any) -> None:
        """Take what the EncryptedExtensions answer to the hellos: the result of ECH, and the server's transport parameters."""
        if self.ech is not None:
            self.ech.take_extensions(body)
        if self.over_udp and self.transport[1] is None:
            self.transport[1] = transport_parameters(body)

    def asked_name(self) -> bytes | None:
        """Return the server name that the client requests; None for no name, UNKNOWN_NAME where it is not in the capture."""
        return self.server_name if self.server_name is not None or self.client_whole else UNKNOWN_NAME

    def take_key_exchange(self, body: Any) -> None:
        """Take the public key of a ClientKeyExchange. Renegotiations can have many; the first few are kept."""
        self.exchange = body
        key: bytes = key_exchange.client_public_key(body)
        if len(key) > 0 and len(self.public_keys) <= MAX_SHARES:
            self.public_keys = (*self.public_keys, key)

    def accept_inner(self) -> None:
        """Use the inner hello of Encrypted Client Hello from now on."""
        if self.ech is not None:
            self.offers = hello_features.offers(self.ech.body)
            self.server_name = self.ech.name

    def hide_name(self) -> None:
        """Forget the server name, because the server accepted an inner hello that is not known (RFC 9849 section 6.1)."""
        self.server_name = None


def transport_parameters(body: Any) -> Any:
    """Return the transport parameters of a ClientHello or of EncryptedExtensions (RFC 9001 section 8.2); None without."""
    return extension_body(body, QUIC_TRANSPORT_PARAMETERS) or extension_body(body, QUIC_TRANSPORT_PARAMETERS_DRAFT)
