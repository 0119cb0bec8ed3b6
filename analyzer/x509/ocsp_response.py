"""Reads OCSP responses tolerantly (RFC 6960, section 4.2.1): statuses of certificates, and the data that identifies the signer.

An OCSPResponse has a status and, if that is `successful`, a BasicOCSPResponse. This has the signed part (ResponseData: the
responder, the time, a SingleResponse for each certificate in the request), algorithm and signature, and certificates that the
reader may need. Responders on the web use encodings that strict parsers reject. This reader accepts those that do not change
the meaning.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

from analyzer.codec.errors import Malformed, ParseError
from analyzer.x509.der import (
    BIT_STRING,
    GENERALIZED_TIME,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    encode_object_identifier,
    expect,
    read_element,
)
from analyzer.x509.layout import extension_places, extension_value, is_true
from analyzer.x509.signature import Check
from analyzer.x509.times import time_text

RESPONSE_SIZE = 1 << 16
"""Largest response that is read, in bytes; those of the web have 500 to 3000, most of it certificates."""

REMEMBERED = 256
"""Maximum number of cached responses, by their bytes: a server staples the same one to all sessions of a day."""

ANSWERS = 256
"""Maximum number of SingleResponses that are read; responders of the web send one."""

CERTIFICATES = 8
"""Maximum number of certificates of one response that are read; responders send their own, some also the chain."""

EXTENSIONS = 64
"""Maximum number of extensions of a SingleResponse or a response; real ones have one or two."""

_ENUMERATED = 0x0A
_BASIC = encode_object_identifier("1.3.6.1.5.5.7.48.1.1")
_ERROR_STATUSES = {1: "malformedRequest", 2: "internalError", 3: "tryLater", 5: "sigRequired", 6: "unauthorized"}
_HASHES = {
    encode_object_identifier(dotted): name
    for dotted, name in {
        "1.3.14.3.2.26": "sha1",
        "2.16.840.1.101.3.4.2.1": "sha256",
        "2.16.840.1.101.3.4.2.2": "sha384",
        "2.16.840.1.101.3.4.2.3": "sha512",
        "2.16.840.1.101.3.4.2.4": "sha224",
    }.items()
}
_REASONS = {
    0: "unspecified",
    1: "keyCompromise",
    2: "cACompromise",
    3: "affiliationChanged",
    4: "superseded",
    5: "cessationOfOperation",
    6: "certificateHold",
    8: "removeFromCRL",
    9: "privilegeWithdrawn",
    10: "aACompromise",
}
_KNOWN = frozenset(encode_object_identifier(f"1.3.6.1.5.5.7.48.1.{number}") for number in (2, 3, 6, 7, 9)) | frozenset(
    encode_object_identifier(f"2.5.29.{number}") for number in (21, 24)
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One SingleResponse.

    hashed: the hash algorithm, and the hashes of the issuer's name and key; None if the algorithm is not supported. status:
    `good`, `revoked` or `unknown`. reason: with the names of RFC 5280. extensions: bytes of the object identifier to value.
    """

    serial: int
    hashed: tuple[str, bytes, bytes] | None
    status: Literal["good", "revoked", "unknown"]
    this_update: datetime
    next_update: datetime | None
    revoked_at: datetime | None
    reason: str | None
    extensions: dict[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Response:
    """A response as read. responder: its name, DER, or the SHA-1 of its key. algorithm: the AlgorithmIdentifier, DER.

    error: why nothing in it can count, None if it may count. checks: cache for the results of checking its signature, by public
    key.
    """

    answers: tuple[Answer, ...] = ()
    produced_at: datetime | None = None
    responder: bytes = b""
    signed: bytes = b""
    algorithm: bytes = b""
    signature: bytes = b""
    certificates: tuple[bytes, ...] = ()
    error: str | None = None
    checks: dict[bytes, Check] = field(default_factory=dict, compare=False)


def read_response(der: bytes) -> Response:
    """Read an OCSPResponse; never raises. If it cannot be read, `error` says why."""
    if len(der) > RESPONSE_SIZE:
        return Response(error=f"it has {len(der)} bytes, and more than {RESPONSE_SIZE} are not read")
    return _read_remembered(der)


@lru_cache(maxsize=REMEMBERED)
def _read_remembered(der: bytes) -> Response:
    try:
        return _read(der)
    except ParseError as error:
        return Response(error=f"it cannot be read: {error}")


def _read(der: bytes) -> Response:
    _, pos, end, _ = expect(der, 0, len(der), SEQUENCE, "OCSPResponse")
    _, start, stop, pos = expect(der, pos, end, _ENUMERATED, "responseStatus")
    if stop - start != 1:
        raise Malformed("responseStatus", start, f"{stop - start} octets are no status")
    status = der[start]
    if status:
        return Response(error=f"the responder refused: {_ERROR_STATUSES.get(status, status)}")
    _, pos, end, _ = expect(der, pos, end, 0xA0, "responseBytes")
    _, pos, end, _ = expect(der, pos, end, SEQUENCE, "responseBytes")
    _, start, stop, pos = expect(der, pos, end, OBJECT_IDENTIFIER, "responseType")
    if der[start:stop] != _BASIC:
        raise Malformed("responseType", start, "not id-pkix-ocsp-basic")
    _, pos, end, _ = expect(der, pos, end, OCTET_STRING, "response")
    _, start, end, _ = expect(der, pos, end, SEQUENCE, "BasicOCSPResponse")
    _, first, last, pos = expect(der, start, end, SEQUENCE, "tbsResponseData")
    after = expect(der, pos, end, SEQUENCE, "signatureAlgorithm")[3]
    _, inner, stop, rest = expect(der, after, end, BIT_STRING, "signature")
    envelope = Response(
        signed=der[start:pos],
        algorithm=der[pos:after],
        signature=der[inner + 1 : stop],
        certificates=tuple(_certificates(der, rest, end)) if rest < end else (),
    )
    return _read_data(der, first, last, envelope)


def _certificates(der: bytes, pos: int, end: int) -> Iterator[bytes]:
    _, pos, end, _ = expect(der, pos, end, 0xA0, "certs")
    _, pos, end, _ = expect(der, pos, end, SEQUENCE, "certs")
    for _ in range(CERTIFICATES):
        if pos >= end:
            break
        after = expect(der, pos, end, SEQUENCE, "certs")[3]
        yield der[pos:after]
        pos = after


def _read_data(der: bytes, pos: int, end: int, envelope: Response) -> Response:
    """Read the ResponseData between `pos` and `end`, and return it together with the envelope."""
    if pos < end and der[pos] == 0xA0:
        pos = read_element(der, pos, end, "version")[3]
    _, start, stop, pos = read_element(der, pos, end, "responderID")
    responder = der[start:stop]
    if der[start : start + 1] == bytes((OCTET_STRING,)):
        _, start, stop, _ = expect(der, start, stop, OCTET_STRING, "KeyHash")
        responder = der[start:stop]
    produced_at, pos = _time(der, pos, end, "producedAt")
    _, start, stop, pos = expect(der, pos, end, SEQUENCE, "responses")
    answers: list[Answer] = []
    error: str | None = None
    while start < stop and len(answers) < ANSWERS:
        answer, start, error_here = _read_answer(der, start, stop)
        answers.append(answer)
        error = error or error_here
    if pos < end:
        _, start, stop, _ = expect(der, pos, end, 0xA1, "responseExtensions")
        _, error_here = _read_extensions(der, start, stop)
        error = error or error_here
    return replace(
        envelope,
        answers=tuple(answers),
        produced_at=produced_at,
        responder=responder,
        error=error,
    )


def _read_answer(der: bytes, pos: int, end: int) -> tuple[Answer, int, str | None]:
    """Read a SingleResponse. Return it, the offset of the next, and why it cannot count."""
    _, pos, end, after = expect(der, pos, end, SEQUENCE, "SingleResponse")
    _, start, stop, pos = expect(der, pos, end, SEQUENCE, "certID")
    serial, hashed = _read_certificate_id(der, start, stop)
    tag, start, stop, pos = read_element(der, pos, end, "certStatus")
    revoked_at: datetime | None = None
    reason: str | None = None
    status: Literal["good", "revoked", "unknown"] = "good" if tag & 0x1F == 0 else "unknown"
    if tag & 0x1F == 1:
        status = "revoked"
        revoked_at, start = _time(der, start, stop, "revocationTime")
        if start < stop:
            _, start, stop, _ = expect(der, start, stop, 0xA0, "revocationReason")
            _, start, stop, _ = expect(der, start, stop, _ENUMERATED, "revocationReason")
            reason = _REASONS.get(int.from_bytes(der[start:stop], "big"))
    this_update, pos = _time(der, pos, end, "thisUpdate")
    next_update: datetime | None = None
    extensions: dict[bytes, bytes] = {}
    error: str | None = None
    while pos < end:
        tag, start, stop, pos = read_element(der, pos, end, "SingleResponse")
        if tag == 0xA0:
            next_update, _ = _time(der, start, stop, "nextUpdate")
        elif tag == 0xA1:
            extensions, error = _read_extensions(der, start, stop)
    return Answer(serial, hashed, status, this_update, next_update, revoked_at, reason, extensions), after, error


def _read_certificate_id(der: bytes, pos: int, end: int) -> tuple[int, tuple[str, bytes, bytes] | None]:
    _, start, stop, pos = expect(der, pos, end, SEQUENCE, "hashAlgorithm")
    _, start, stop, _ = expect(der, start, stop, OBJECT_IDENTIFIER, "hashAlgorithm")
    algorithm = _HASHES.get(der[start:stop])
    _, start, stop, pos = expect(der, pos, end, OCTET_STRING, "issuerNameHash")
    name = der[start:stop]
    _, start, stop, pos = expect(der, pos, end, OCTET_STRING, "issuerKeyHash")
    key = der[start:stop]
    _, start, stop, _ = expect(der, pos, end, INTEGER, "serialNumber")
    return int.from_bytes(der[start:stop], "big", signed=True), None if algorithm is None else (algorithm, name, key)


def _read_extensions(der: bytes, pos: int, end: int) -> tuple[dict[bytes, bytes], str | None]:
    """Read Extensions. Return them, and an error if one of them forbids the use of the response."""
    found: dict[bytes, bytes] = {}
    error: str | None = None
    for at, extension, (_, first, last, after) in extension_places(der, pos, end):
        if len(found) == EXTENSIONS:
            raise Malformed("extensions", at, f"over {EXTENSIONS} extensions")
        kind = der[first:last]
        boolean, (tag, first, last, _) = extension_value(der, after, extension[2], "extnValue")
        if tag != OCTET_STRING:
            raise Malformed("extnValue", after, f"tag 0x{tag:02x}, not 0x{OCTET_STRING:02x}")
        found[kind] = der[first:last]
        if boolean is not None and is_true(der, boolean) and kind not in _KNOWN:
            error = "it has an unknown critical extension"
    return found, error


def _time(der: bytes, pos: int, end: int, name: str) -> tuple[datetime, int]:
    """Read a GeneralizedTime. Return the time, and the offset of the next element."""
    element = expect(der, pos, end, GENERALIZED_TIME, name)
    return datetime.fromisoformat(time_text(der, element, name)).astimezone(UTC), element[3]
