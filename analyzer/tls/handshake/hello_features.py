"""Reads single facts from a decoded hello; the result is None or -1 if the message does not contain the fact.

If a message could not be read completely, its fields may be None. If the body of an extension did not match its table, it is
bytes. In both cases the fact is treated as absent.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from analyzer.codec.byte_slices import slice_bytes
from analyzer.codec.field_spec import Extension
from analyzer.codec.registry import registry
from analyzer.codec.runner import extension_body
from analyzer.tls.handshake.client_offer import (
    CLIENT_CERTIFICATE_TYPE,
    HEARTBEAT,
    MAX_FRAGMENT_LENGTH,
    PSK_KEY_EXCHANGE_MODES,
    SERVER_CERTIFICATE_TYPE,
    ClientOffer,
    client_offer,
)
from analyzer.tls.handshake.offer_rules import offer_breaches
from analyzer.tls.limits import LARGEST_PLAINTEXT, MAX_SHARES, SHORTEST_PUBLIC_KEY
from analyzer.tls.messages.hello import ClientHello, DTLSClientHello
from analyzer.tls.messages.numbers import (
    ALPN,
    EARLY_DATA,
    ENCRYPTED_CLIENT_HELLO,
    KEY_SHARE,
    KEY_SHARE_DRAFT,
    POINT_FORMATS,
    PRE_SHARED_KEY,
    RECORD_SIZE_LIMIT,
    RENEGOTIATION_INFO,
    SERVER_NAME,
    SESSION_ID_LENGTH,
    SESSION_TICKET,
    SIGNATURE_ALGORITHMS,
    SIGNED_CERTIFICATE_TIMESTAMP,
    SUPPORTED_GROUPS,
    SUPPORTED_VERSIONS,
    TLS_1_2,
    TLS_1_3,
    TLS_OF_DTLS,
)

if TYPE_CHECKING:
    import cython

Numbers: TypeAlias = tuple[int, ...]

FingerprintInput: TypeAlias = tuple[int, Numbers, Numbers, Numbers, Numbers, Numbers, Numbers, bytes | None]
"""The parts of a ClientHello that fingerprints use.

In order: legacy_version, cipher suites, extension types, groups, point formats, signature schemes, versions, first ALPN name.
"""

ServerFingerprintInput: TypeAlias = tuple[int, int, Numbers]
"""The parts of a ServerHello that fingerprints use: legacy_version, cipher suite, extension types."""

_SUITES = registry("cipher_suites")

SHARED: dict[Any, Any] = {}

KNOWN_HELLOS: dict[bytes, tuple[FingerprintInput | None, ClientOffer | None]] = {}

Shared = TypeVar("Shared")

REMEMBERED_INPUTS = 4096
"""Limit of fingerprint inputs, and of certificates, that sessions share.

Clients send few kinds of hello, and servers few certificates.
"""

LONGEST_KEY = 2048
"""Longest cache key of a fingerprint input, in bytes of the ClientHello. Browsers send about 200."""

LONGEST_REMEMBERED = 1024
"""Largest object that is shared.

For a fingerprint input it counts numbers (browsers send about 60), for a certificate units of 16 bytes.
"""


def is_tls13(version: cython.int) -> cython.bint:
    """Return whether a version number means TLS 1.3 or one of its drafts and experiments (0x7f.., 0x7e..)."""
    return version == TLS_1_3 or version >> 8 == 0x7F or version >> 8 == 0x7E


def server_name(hello: Any) -> bytes | None:
    """Return the host name of a ClientHello (RFC 6066 section 3)."""
    for entry in getattr(extension_body(hello, SERVER_NAME), "server_name_list", None) or ():
        name = getattr(entry, "name", None)
        if isinstance(name, bytes) and entry.name_type == 0:
            return name
    return None


def alpn(answer: Any) -> bytes | None:
    """Return the protocol that a ServerHello or EncryptedExtensions chooses (RFC 7301 section 3.1)."""
    names = getattr(extension_body(answer, ALPN), "protocol_name_list", None)
    return names[0] if names else None


def selected_version(answer: Any) -> cython.int:
    """Return the version that a ServerHello or HelloRetryRequest chooses; 0 if it could not be read.

    Of a version of DTLS it is the version of TLS that it is based on.
    """
    version = getattr(extension_body(answer, SUPPORTED_VERSIONS), "selected_version", None)
    if version is None:
        version = getattr(answer, "legacy_version", None)
    if version is None:
        version = getattr(answer, "version", None)
    if version is None:
        version = getattr(answer, "server_version", None)
    return 0 if version is None else TLS_OF_DTLS.get(version, version)


def certain_version(answer: Any) -> cython.int:
    """Return the version that a ServerHello chooses whose end is missing; 0 if the missing part may choose another one.

    Only a ServerHello that says TLS 1.2 can have supported_versions (RFC 9846 section 4.2.3), and TLS 1.3 has its own suites.
    """
    if getattr(extension_body(answer, SUPPORTED_VERSIONS), "selected_version", None) is not None:
        return selected_version(answer)
    version: cython.int = selected_version(answer)
    number = getattr(answer, "cipher_suite", None)
    if version == TLS_1_2 and (number is None or is_suite13(number) or not _SUITES.known(number)):
        return 0
    return version


def is_suite13(number: Any) -> cython.bint:
    """Return whether a cipher suite can only be one of TLS 1.3: their numbers begin with 0x13 (RFC 9846 appendix B.4)."""
    return number is not None and number >> 8 == 0x13


def selected_group(answer: Any) -> cython.int:
    """Return the group of a ServerHello's or HelloRetryRequest's key share (RFC 9846 section 4.3.8), -1 without one."""
    body = extension_body(answer, KEY_SHARE)
    if body is None:
        body = extension_body(answer, KEY_SHARE_DRAFT)
    if body is None:
        return -1
    group = getattr(getattr(body, "server_share", None), "group", None)
    if group is None:
        group = getattr(body, "selected_group", None)
    return -1 if group is None else group


def key_shares(hello: Any) -> tuple[bytes, ...]:
    """Return the public keys of a ClientHello's key shares, at most MAX_SHARES; of a hybrid share the part of the curve."""
    body = extension_body(hello, KEY_SHARE)
    found: list[bytes] = []
    for entry in getattr(body, "client_shares", None) or ():
        key = public_key(entry)
        if len(key) > 0 and len(found) < MAX_SHARES:
            found.append(key)
    return tuple(found)


def server_key_share(answer: Any) -> bytes:
    """Return the public key of a ServerHello's key share, as `key_shares` does; empty without one."""
    return public_key(getattr(extension_body(answer, KEY_SHARE), "server_share", None))


def public_key(entry: Any) -> bytes:
    """Return the public key of a key share entry; empty if there is none, or if it is too short to be one (GREASE)."""
    key = getattr(entry, "key_exchange", None)
    if key is not None and not isinstance(key, bytes):
        key = getattr(key, "x25519", None) or getattr(key, "secp256r1", None) or getattr(key, "secp384r1", None)
    return key if key is not None and len(key) >= SHORTEST_PUBLIC_KEY else b""


def record_size_limit(message: Any) -> int | None:
    """Return the record size limit of a ClientHello, ServerHello or EncryptedExtensions, in bytes of plaintext (RFC 8449)."""
    return getattr(extension_body(message, RECORD_SIZE_LIMIT), "record_size_limit", None)


def fragment_length(answer: Any) -> cython.int:
    """Return how many bytes of plaintext a record may have by the max_fragment_length of an answer (RFC 6066 section 4)."""
    code: cython.int = getattr(extension_body(answer, MAX_FRAGMENT_LENGTH), "max_fragment_length", None) or 0
    return 1 << (8 + code) if 1 <= code <= 4 else LARGEST_PLAINTEXT


def heartbeat_mode(answer: Any) -> cython.int:
    """Return the mode of the heartbeat extension in an answer (RFC 6520 section 2); 0 without one."""
    mode: cython.int = getattr(extension_body(answer, HEARTBEAT), "mode", None) or 0
    return mode


def extension_types(message: Any) -> Numbers:
    """Return the extension types of a message, in order."""
    extension: Extension  # noqa: F842 - its type in the comprehension below, for C
    return tuple([extension.type for extension in message.extensions or ()])


def requested_schemes(request: Any) -> Numbers | None:
    """Return the signature schemes that a CertificateRequest accepts; None if it names none (up to TLS 1.1)."""
    schemes = getattr(request, "supported_signature_algorithms", None)
    if schemes is None:
        schemes = getattr(extension_body(request, SIGNATURE_ALGORITHMS), "supported_signature_algorithms", None)
    return None if schemes is None else tuple(schemes)


def has_early_data(message: Any) -> cython.bint:
    """Return whether a ClientHello offers early data, or EncryptedExtensions accept it (RFC 9846 section 4.3.10)."""
    return message.extension(EARLY_DATA) is not None


def known_hello(hello: Any, raw: bytes, whole: cython.bint) -> tuple[FingerprintInput | None, ClientOffer | None]:
    """Return what the fingerprints of a ClientHello depend on, and what it offers; None if that could not be read.

    raw: the message with its header; whole: whether it was read without a problem: else it has no offer. Clients send few kinds
    of hello, so results are cached by the bytes of the hello. Equal inputs are one object.
    """
    if not whole or not isinstance(hello, ClientHello | DTLSClientHello):
        return read_fingerprint_input(hello), None
    key: bytes = cache_key(hello, raw)
    known: tuple[FingerprintInput | None, ClientOffer | None] | None = KNOWN_HELLOS.get(key)
    if known is None:
        offer = client_offer(hello)
        if offer is not None:
            offer = replace(offer, breaches=tuple(offer_breaches(offer)))
        known = read_fingerprint_input(hello), offer
        if len(key) <= LONGEST_KEY:
            if len(KNOWN_HELLOS) >= REMEMBERED_INPUTS:
                KNOWN_HELLOS.clear()
            KNOWN_HELLOS[key] = known
    return known


def cache_key(hello: Any, raw: bytes) -> bytes:
    """Return the bytes of a ClientHello on which its fingerprint input and its offer depend.

    These are all except the session id, the cookie of DTLS, and the contents of extensions that neither uses; of key shares,
    the groups. The version tells hellos of DTLS from others.
    """
    extension: Extension
    number: cython.int
    pos: cython.Py_ssize_t = SESSION_ID_LENGTH + 1 + raw[SESSION_ID_LENGTH]
    if isinstance(hello, DTLSClientHello):
        pos += 1 + raw[pos]
    end: cython.Py_ssize_t = pos + 2 + (raw[pos] << 8 | raw[pos + 1])
    end += 1 + raw[end]  # the compression methods
    parts: list[bytes] = [slice_bytes(raw, 4, 6), slice_bytes(raw, pos, end)]
    if hello.extensions:
        pos = end + 2  # after the length of the extensions
        end = pos
        for extension in hello.extensions:
            number = extension.type
            if number not in (
                ALPN, SUPPORTED_GROUPS, POINT_FORMATS, SIGNATURE_ALGORITHMS, SUPPORTED_VERSIONS, MAX_FRAGMENT_LENGTH,
                CLIENT_CERTIFICATE_TYPE, SERVER_CERTIFICATE_TYPE, PSK_KEY_EXCHANGE_MODES,
                HEARTBEAT, RECORD_SIZE_LIMIT, RENEGOTIATION_INFO,
            ):  # fmt: skip
                parts.append(slice_bytes(raw, pos, end + 2))  # for other extensions only the type matters
                pos = end + 4 + extension.n_bytes
                if number in (KEY_SHARE, KEY_SHARE_DRAFT):
                    parts.append(share_groups(extension.body))
            end += 4 + extension.n_bytes
        parts.append(slice_bytes(raw, pos, len(raw)))
    return b"".join(parts)


def share_groups(body: Any) -> bytes:
    """Return the groups of the key shares in a hello's extension, each in 2 bytes."""
    entries = getattr(body, "client_shares", None)
    if entries is None:
        entries = (getattr(body, "server_share", body),)
    groups: list[bytes] = []
    for entry in entries:
        group = getattr(entry, "group", None)
        if group is None:
            group = getattr(entry, "selected_group", None) or 0
        groups.append(group.to_bytes(2, "big"))
    return b"".join(groups)


def answer_key(answer: Any, raw: bytes) -> bytes:
    """Return the bytes of a ServerHello or HelloRetryRequest on which it depends whether it fits the offer.

    These are all except random, session id and the contents of key share and timestamps; of a key share, the group.
    """
    extension: Extension
    number: cython.int
    pos: cython.Py_ssize_t = SESSION_ID_LENGTH + 1 + raw[SESSION_ID_LENGTH]
    end: cython.Py_ssize_t = pos + 3 + 2  # suite, compression method, length of the extensions
    parts: list[bytes] = [slice_bytes(raw, 4, 6)]
    for extension in answer.extensions or ():
        number = extension.type
        if number in (KEY_SHARE, KEY_SHARE_DRAFT, SIGNED_CERTIFICATE_TIMESTAMP):
            parts.append(slice_bytes(raw, pos, end + 2))
            pos = end + 4 + extension.n_bytes
            if number != SIGNED_CERTIFICATE_TIMESTAMP:
                parts.append(share_groups(extension.body))
        end += 4 + extension.n_bytes
    parts.append(slice_bytes(raw, pos, len(raw)))
    return b"".join(parts)


def read_fingerprint_input(hello: Any) -> FingerprintInput | None:
    """Collect what the fingerprints of a ClientHello depend on; None if that part could not be read."""
    suites = getattr(hello, "cipher_suites", None)
    version = getattr(hello, "legacy_version", None)
    if suites is None or version is None:
        return None
    extension: Extension
    bodies: dict[int, Any] = {}
    types: list[int] = []
    for extension in hello.extensions or ():
        types.append(extension.type)
        bodies.setdefault(extension.type, extension.body)
    protocols = getattr(bodies.get(ALPN), "protocol_name_list", None)
    return shared(
        (
            version,
            tuple(suites),
            tuple(types),
            numbers(bodies.get(SUPPORTED_GROUPS), "named_group_list"),
            numbers(bodies.get(POINT_FORMATS), "ec_point_format_list"),
            numbers(bodies.get(SIGNATURE_ALGORITHMS), "supported_signature_algorithms"),
            numbers(bodies.get(SUPPORTED_VERSIONS), "versions"),
            protocols[0] if protocols else None,
        ),
        len(suites) + len(types),
    )


def server_fingerprint_input(answer: Any) -> ServerFingerprintInput | None:
    """Return what the fingerprint of a ServerHello depends on; None if that part could not be read.

    Equal results are one object.
    """
    version = getattr(answer, "legacy_version", None)
    if version is None:
        version = getattr(answer, "version", None)
    suite = getattr(answer, "cipher_suite", None)
    if version is None or suite is None:
        return None
    extension: Extension
    types: list[int] = []
    for extension in answer.extensions or ():
        types.append(extension.type)  # noqa: PERF401 - a comprehension would not see the C type
    return shared((version, suite, tuple(types)), len(types))


def numbers(body: Any, name: str) -> Numbers:
    """Return a list of numbers in an extension's body; empty if there is none."""
    return tuple(getattr(body, name, None) or ())


def shared(value: Shared, length: cython.Py_ssize_t) -> Shared:
    """Return the one shared object that is equal to this value. length: its size in numbers, or in units of 16 bytes."""
    known: Shared | None = SHARED.get(value)
    if known is not None:
        return known
    if length < LONGEST_REMEMBERED:
        if len(SHARED) >= REMEMBERED_INPUTS:
            SHARED.clear()
        SHARED[value] = value
    return value


def offers(hello: Any) -> dict[int, Any] | None:
    """Return what a ClientHello offers for resumption or hides: a ticket, pre-shared keys, an inner hello.

    The result has the extension bodies by type, or is None.
    """
    extension: Extension
    found: dict[int, Any] | None = None
    for extension in getattr(hello, "extensions", None) or ():
        if extension.type == SESSION_TICKET:
            if not getattr(extension.body, "ticket", None):  # an empty ticket is a request for one
                continue
        elif extension.type != PRE_SHARED_KEY and extension.type != ENCRYPTED_CLIENT_HELLO:
            continue
        if found is None:
            found = {}
        found[extension.type] = extension.body
    return found
