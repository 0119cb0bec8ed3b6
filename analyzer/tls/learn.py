"""What a decoded message says about its session: single facts, None or -1 where a message does not say.

A field of a message that could not be read whole may be None, and an extension's body that did not fit its table is bytes;
both simply say nothing. This module is compiled (see setup.cfg) and runs the same uncompiled.
"""

from typing import Any, TypeAlias, TypeVar

import cython

from analyzer.codec.cut import cut
from analyzer.codec.row import Extension
from analyzer.codec.runner import extension_body
from analyzer.codec.trouble import Trouble
from analyzer.tls.compressed_certificate import decompressed
from analyzer.tls.limits import MAX_STAPLE, MAX_STAPLES

SERVER_NAME, ALPN, SESSION_TICKET, KEY_SHARE_DRAFT, SUPPORTED_VERSIONS, KEY_SHARE = 0, 16, 35, 40, 43, 51
PRE_SHARED_KEY, ENCRYPTED_CLIENT_HELLO = 41, 65037
SUPPORTED_GROUPS, POINT_FORMATS, SIGNATURE_ALGORITHMS = 10, 11, 13
STATUS_REQUEST, SIGNED_CERTIFICATE_TIMESTAMP = 5, 18
RECORD_SIZE_LIMIT, EARLY_DATA = 28, 42

OCSP, OCSP_MULTI = 1, 2

AFTER_RANDOM = 38
"""Where the session id of a ClientHello stands, with the message's header."""

Numbers: TypeAlias = tuple[int, ...]

HelloShape: TypeAlias = tuple[int, Numbers, Numbers, Numbers, Numbers, Numbers, Numbers, bytes | None]
"""legacy_version, cipher suites, extension types, groups, point formats, signature schemes, versions, first ALPN name."""

AnswerShape: TypeAlias = tuple[int, int, Numbers]
"""legacy_version, cipher suite, extension types."""

Staple: TypeAlias = tuple[int, int, str, bytes]
"""Who sent it (0 the opener of the connection), to which certificate of the list, `ocsp` or `scts`, and what it is."""

SHAPES: dict[Any, Any] = {}

KINDS: dict[bytes, HelloShape] = {}

Shared = TypeVar("Shared")

REMEMBERED_SHAPES = 4096
"""Shapes and certificates that are shared between sessions: clients send few kinds of hello, servers few certificates."""

LONGEST_KIND = 2048
"""Bytes of a ClientHello that its shape is known again by; browsers send about 200."""

LONGEST_REMEMBERED = 1024
"""Numbers in a shape that is shared, browsers send about 60; and of a certificate the length in units of 16 bytes."""

TLS13 = 0x0304


def is_tls13(version: cython.int) -> cython.bint:
    """Whether a version number means TLS 1.3 or one of its drafts and experiments (0x7f.., 0x7e..)."""
    return version == TLS13 or version >> 8 == 0x7F or version >> 8 == 0x7E


def server_name(hello: Any) -> bytes | None:
    """The host name of a ClientHello (RFC 6066 section 3)."""
    for entry in getattr(extension_body(hello, SERVER_NAME), "server_name_list", None) or ():
        name = getattr(entry, "name", None)
        if isinstance(name, bytes) and entry.name_type == 0:
            return name
    return None


def alpn(answer: Any) -> bytes | None:
    """The protocol that a ServerHello or EncryptedExtensions chooses (RFC 7301 section 3.1)."""
    names = getattr(extension_body(answer, ALPN), "protocol_name_list", None)
    return names[0] if names else None


def selected_version(answer: Any) -> cython.int:
    """The version that a ServerHello or HelloRetryRequest chooses; 0 when it could not be read."""
    version = getattr(extension_body(answer, SUPPORTED_VERSIONS), "selected_version", None)
    if version is None:
        version = getattr(answer, "legacy_version", None)
    if version is None:
        version = getattr(answer, "version", None)
    if version is None:
        version = getattr(answer, "server_version", None)
    return version or 0


def selected_group(answer: Any) -> cython.int:
    """The group of a ServerHello's or HelloRetryRequest's key share (RFC 9846 section 4.3.8), -1 without one."""
    body = extension_body(answer, KEY_SHARE)
    if body is None:
        body = extension_body(answer, KEY_SHARE_DRAFT)
    if body is None:
        return -1
    group = getattr(getattr(body, "server_share", None), "group", None)
    if group is None:
        group = getattr(body, "selected_group", None)
    return -1 if group is None else group


def exchanged_group(server_key_exchange: Any) -> cython.int:
    """The named curve of a ServerKeyExchange (RFC 8422 section 5.4), -1 without one."""
    parameters = getattr(getattr(server_key_exchange, "params", None), "curve_params", None)
    if getattr(parameters, "curve_type", None) != 3:
        return -1
    curve = getattr(parameters, "namedcurve", None)
    return -1 if curve is None else curve


def presented(kept: list[Staple], side: cython.int, message: Any, problems: list[Trouble]) -> Any:
    """A message that brings certificates, or what belongs to them, out of its compression; what is stapled is kept."""
    message = uncompressed(message, problems)
    staple(kept, side, message)
    return message


def uncompressed(certificate: Any, problems: list[Trouble]) -> Any:
    """The message inside a CompressedCertificate, None where it does not come out; any other as it is."""
    if getattr(certificate, "compressed_certificate_message", None) is None:
        return certificate
    message, found = decompressed(certificate)
    problems.extend(found)
    return message


def signed_parameters(server_key_exchange: Any, raw: bytes) -> tuple[bytes, int | None, bytes] | None:
    """Of a signed ServerKeyExchange the parameters, the scheme's number (None until TLS 1.1) and the signature, else None."""
    signed = getattr(server_key_exchange, "signed_params", None)
    signature = getattr(signed, "signature", None)
    if signature is None:
        return None
    scheme = getattr(signed, "algorithm", None)
    n_bytes: cython.Py_ssize_t = len(raw) - len(signature) - (2 if scheme is None else 4)
    return (raw[4:n_bytes], scheme, signature) if n_bytes > 4 else None


def record_size_limit(message: Any) -> int | None:
    """The bytes of plaintext that a record may hold by a ClientHello, ServerHello or EncryptedExtensions (RFC 8449)."""
    return getattr(extension_body(message, RECORD_SIZE_LIMIT), "record_size_limit", None)


def has_early_data(message: Any) -> cython.bint:
    """Whether a ClientHello offers early data, or EncryptedExtensions take it (RFC 9846 section 4.3.10)."""
    return message.extension(EARLY_DATA) is not None


def certificate_list(certificate: Any) -> list[bytes] | None:
    """The certificates of a Certificate message, in DER, in the order sent; None where the message holds something else.

    Of a message with a raw public key that key (RFC 7250). Equal certificates are one object, so that a server's thousand
    sessions keep one copy and hash it once.
    """
    entries = getattr(certificate, "certificate_list", None)
    if entries is None:
        key = getattr(certificate, "asn1_subject_public_key_info", None)
        return None if key is None else [shared(key, len(key) >> 4)]
    listed = [entry if isinstance(entry, bytes) else getattr(entry, "cert_data", None) for entry in entries]
    return [shared(der, len(der) >> 4) for der in listed if der is not None]


def staple(kept: list[Staple], side: cython.int, message: Any) -> None:
    """Keep what a message brings along with certificates: OCSP responses and lists of certificate timestamps.

    They come in a CertificateStatus (RFC 6066 section 8, RFC 6961), in the extensions of a ServerHello (RFC 6962 section 3.3)
    or with each certificate of TLS 1.3 (RFC 9846 section 4.5.2.1).
    """
    if getattr(message, "response", None) is not None:
        keep_responses(kept, side, 0, message)
        return
    entries = getattr(message, "certificate_list", None)
    if entries is None:
        keep_timestamps(kept, side, 0, message)
        return
    for place, entry in enumerate(entries):
        if not isinstance(entry, bytes) and getattr(entry, "extensions", None):
            keep_responses(kept, side, place, extension_body(entry, STATUS_REQUEST))
            keep_timestamps(kept, side, place, entry)


def keep_responses(kept: list[Staple], side: cython.int, place: cython.int, status: Any) -> None:
    """Keep one OCSP response, or one for each certificate in their order; an empty one stands for none."""
    kind = getattr(status, "status_type", None)
    if kind == OCSP:
        responses = [status.response]
    elif kind == OCSP_MULTI:
        responses = status.response or []
    else:
        return
    for one in responses:
        if one:
            keep(kept, (side, place, "ocsp", one))
        place += 1


def keep_timestamps(kept: list[Staple], side: cython.int, place: cython.int, message: Any) -> None:
    """Keep the SignedCertificateTimestampList among the extensions of a message."""
    body = extension_body(message, SIGNED_CERTIFICATE_TIMESTAMP)
    if body is not None and getattr(body, "sct_list", None):
        keep(kept, (side, place, "scts", body.write()))


def keep(kept: list[Staple], staple: Staple) -> None:
    """Keep one, within limits; equal ones are one object."""
    if len(kept) < MAX_STAPLES and len(staple[3]) <= MAX_STAPLE:
        kept.append((staple[0], staple[1], staple[2], shared(staple[3], len(staple[3]) >> 4)))


def shape_of(hello: Any, raw: bytes) -> HelloShape | None:
    """The shape of a ClientHello that came as `raw`; clients send few kinds, which are known again by their bytes."""
    kind: bytes = kind_of(raw)
    shape: HelloShape | None = KINDS.get(kind)
    if shape is None:
        shape = hello_shape(hello)
        if shape is not None and 0 < len(kind) <= LONGEST_KIND:
            if len(KINDS) >= REMEMBERED_SHAPES:
                KINDS.clear()
            KINDS[kind] = shape
    return shape


def kind_of(raw: bytes) -> bytes:
    """The bytes of a ClientHello, with its header, that its shape hangs on; empty where its lengths do not add up."""
    end: cython.Py_ssize_t = len(raw)
    pos: cython.Py_ssize_t = AFTER_RANDOM
    begin: cython.Py_ssize_t
    number: cython.int
    if pos >= end:
        return b""
    begin = pos + 1 + raw[pos]  # behind the session id
    if 2 > end - begin:
        return b""
    pos = begin + 2 + (raw[begin] << 8 | raw[begin + 1])
    if pos >= end:
        return b""
    parts: list[bytes] = [cut(raw, 4, 6), cut(raw, begin, pos)]
    pos += 1 + raw[pos]  # behind the compression methods
    if pos < end:
        if 2 > end - pos or (raw[pos] << 8 | raw[pos + 1]) != end - pos - 2:
            return b""
        pos += 2
    begin = pos
    while 4 <= end - pos:
        number = raw[pos] << 8 | raw[pos + 1]
        if number not in (ALPN, SUPPORTED_GROUPS, POINT_FORMATS, SIGNATURE_ALGORITHMS, SUPPORTED_VERSIONS):
            parts.append(cut(raw, begin, pos + 2))  # of others only the type counts
            begin = pos + 4 + (raw[pos + 2] << 8 | raw[pos + 3])
        pos += 4 + (raw[pos + 2] << 8 | raw[pos + 3])
    if pos != end:
        return b""
    parts.append(cut(raw, begin, end))
    return b"".join(parts)


def hello_shape(hello: Any) -> HelloShape | None:
    """What of a ClientHello its fingerprints hang on; None where it could not be read so far. Equal shapes are one object."""
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


def answer_shape(answer: Any) -> AnswerShape | None:
    """What of a ServerHello its fingerprint hangs on; None where it could not be read so far. Equal shapes are one object."""
    version = getattr(answer, "legacy_version", None)
    if version is None:
        version = getattr(answer, "version", None)
    suite = getattr(answer, "cipher_suite", None)
    if version is None or suite is None:
        return None
    types = [extension.type for extension in answer.extensions or ()]
    return shared((version, suite, tuple(types)), len(types))


def numbers(body: Any, name: str) -> Numbers:
    """A list of numbers in an extension's body; empty where there is none."""
    return tuple(getattr(body, name, None) or ())


def shared(shape: Shared, length: cython.Py_ssize_t) -> Shared:
    """The object that stands for all equal to this one."""
    known: Shared | None = SHAPES.get(shape)
    if known is not None:
        return known
    if length < LONGEST_REMEMBERED:
        if len(SHAPES) >= REMEMBERED_SHAPES:
            SHAPES.clear()
        SHAPES[shape] = shape
    return shape


def offers(hello: Any) -> dict[int, Any] | None:
    """The bodies of what a ClientHello offers beyond its shape: a ticket, pre-shared keys, a hello inside; None without any."""
    extension: Extension
    found: dict[int, Any] | None = None
    for extension in getattr(hello, "extensions", None) or ():
        if extension.type == SESSION_TICKET:
            if not getattr(extension.body, "ticket", None):  # asks for one
                continue
        elif extension.type != PRE_SHARED_KEY and extension.type != ENCRYPTED_CLIENT_HELLO:
            continue
        if found is None:
            found = {}
        found[extension.type] = extension.body
    return found
