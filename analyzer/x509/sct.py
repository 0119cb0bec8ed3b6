"""Checks signed certificate timestamps: promises of a log to publish a certificate (RFC 6962, section 3).

A timestamp comes in the certificate, in a TLS extension, or in an OCSP response. In the last two the log signed the whole
certificate. A timestamp in the certificate cannot cover itself: there the log signed the certificate's contents without that
extension, and the hash of the issuer's key.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Literal, TypeAlias

from cryptography.hazmat.primitives import hashes

from analyzer.codec.errors import Malformed, ParseError
from analyzer.tls.messages.extensions.about_certificates import SignedCertificateTimestamp, SignedCertificateTimestampList
from analyzer.x509.certificate_id import Identity, identity
from analyzer.x509.ct_logs import Log, Logs
from analyzer.x509.der import OCTET_STRING, SEQUENCE, encode_object_identifier, expect
from analyzer.x509.layout import EXTENSIONS_TAG, Layout, extension_places
from analyzer.x509.ocsp_response import read_response
from analyzer.x509.revocation_status import CLOCK_SKEW, in_utc, stated
from analyzer.x509.signature import load_key, verify_scheme

SctSource: TypeAlias = Literal["certificate", "tls", "ocsp"]
SctStatus: TypeAlias = Literal["verified", "failed", "unknown_log", "unverifiable"]

TIMESTAMPS = 64
"""Maximum number of timestamps of one list that are checked, each with a signature; certificates have two to five."""

LISTS = 16
"""Maximum number of lists of timestamps from OCSP responses, and of those from TLS; a handshake has one of each."""

IN_CERTIFICATE = encode_object_identifier("1.3.6.1.4.1.11129.2.4.2")
IN_OCSP = encode_object_identifier("1.3.6.1.4.1.11129.2.4.5")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SCHEMES = {0x0403: "ec", 0x0401: "rsa"}
_SHA256 = hashes.SHA256()
_X509_ENTRY = b"\0\0"
_PRECERT_ENTRY = b"\0\1"


@dataclass(frozen=True, slots=True)
class SctVerdict:
    """The result for one timestamp.

    source: where it came from. log: the log's name, None if it is not in the list. log_id: hex. timestamp: the time of the
    promise, in UTC, None if it is not a valid date. detail: a sentence.
    """

    source: SctSource
    log: str | None
    log_id: str
    timestamp: datetime | None
    status: SctStatus
    detail: str


def judge_scts(
    certificate: bytes,
    issuer: bytes | None,
    *,
    tls: Sequence[bytes] = (),
    ocsp: Sequence[bytes] = (),
    logs: Logs,
    at: datetime,
) -> tuple[SctVerdict, ...]:
    """Check all timestamps of a certificate; never raises.

    certificate, issuer: DER; without the issuer the timestamps in the certificate cannot be verified. tls: bodies of the
    extension signed_certificate_timestamp. ocsp: OCSP responses, DER. at: a timestamp later than this time has failed.
    """
    time = in_utc(at)
    subject = identity(certificate)
    verdicts: list[SctVerdict] = []
    if subject is not None and IN_CERTIFICATE in subject.extensions:
        inside = _precertificate(certificate, issuer)
        verdicts += _judge_list("certificate", _unwrap(subject.extensions[IN_CERTIFICATE]), inside, logs, time)
    entry = _X509_ENTRY + _opaque24(certificate)
    for body in tls[:LISTS]:
        verdicts += _judge_list("tls", body, entry, logs, time)
    for found in _in_responses(ocsp, subject):
        verdicts += _judge_list("ocsp", found, entry, logs, time)
    return tuple(verdicts)


def _judge_list(source: SctSource, body: bytes | str, entry: bytes | str, logs: Logs, at: datetime) -> Iterator[SctVerdict]:
    """Check the timestamps of one list. If `body` or `entry` is not available, it is a text with the reason."""
    if isinstance(body, str):
        yield SctVerdict(source, None, "", None, "unverifiable", body)
        return
    found, problems = SignedCertificateTimestampList.read(body)
    timestamps: list[SignedCertificateTimestamp] = found.sct_list or []
    for timestamp in timestamps[:TIMESTAMPS]:
        yield _judge(source, timestamp, entry, logs, at)
    if problems:
        yield SctVerdict(source, None, "", None, "unverifiable", f"the list of timestamps cannot be read: {problems[0]}")
    elif len(timestamps) > TIMESTAMPS:
        left = f"{len(timestamps) - TIMESTAMPS} more timestamps are not looked at"
        yield SctVerdict(source, None, "", None, "unverifiable", left)


def _judge(source: SctSource, sct: SignedCertificateTimestamp, entry: bytes | str, logs: Logs, at: datetime) -> SctVerdict:
    if sct.sct_version != 0:
        # RFC 6962, section 3.3: a client ignores those of versions that it does not know.
        number = "an unknown version" if sct.sct_version is None else f"version {sct.sct_version + 1}"
        return SctVerdict(source, None, "", None, "unverifiable", f"a timestamp of {number}, which clients ignore")
    if sct.signature is None or not isinstance(sct.timestamp, int) or not isinstance(sct.algorithm, int):
        return SctVerdict(source, None, "", None, "unverifiable", "a timestamp with parts missing")
    log = logs.by_id.get(sct.id)
    try:
        timestamp = _EPOCH + timedelta(milliseconds=sct.timestamp)
    except OverflowError:
        timestamp = None
    status, detail = _check(sct, log, timestamp, entry, at)
    return SctVerdict(source, log.name if log else None, sct.id.hex(), timestamp, status, detail)


def _check(
    sct: SignedCertificateTimestamp, log: Log | None, timestamp: datetime | None, entry: bytes | str, at: datetime
) -> tuple[SctStatus, str]:
    if log is None:
        return "unknown_log", f"the log {sct.id.hex()} is not in the list of logs"
    if isinstance(entry, str):
        return "unverifiable", entry
    assert isinstance(sct.timestamp, int)
    assert isinstance(sct.algorithm, int)
    key = load_key(log.key)
    scheme = _SCHEMES.get(sct.algorithm)
    if key is None or scheme is None:
        return "unverifiable", f"no signature that logs make: algorithm 0x{sct.algorithm:04x} with the key of {log.name}"
    signed = b"".join(
        (b"\0\0", sct.timestamp.to_bytes(8, "big"), entry, len(sct.extensions).to_bytes(2, "big"), sct.extensions)
    )
    check = verify_scheme(key, scheme, _SHA256, sct.signature, signed)
    if check == "unverifiable":
        return "unverifiable", f"signature and key of {log.name} are not of one kind"
    if check == "failed":
        return "failed", f"the signature is not that of {log.name} over this certificate"
    if timestamp is None or timestamp - CLOCK_SKEW > at:
        return "failed", f"{log.name} dated it {stated(timestamp) if timestamp else 'beyond all dates'}, after this moment"
    closed = f"; the log was {log.state} by {log.since}" if log.state in ("retired", "rejected") and log.since else ""
    return "verified", f"{log.name} signed it at {stated(timestamp)}{closed}"


def _in_responses(responses: Sequence[bytes], subject: Identity | None) -> Iterator[bytes | str]:
    if subject is None:
        return
    n_lists = 0
    for response in responses:
        for answer in read_response(response).answers:
            value = answer.extensions.get(IN_OCSP)
            if answer.serial != subject.serial or value is None:
                continue
            yield _unwrap(value)
            n_lists += 1
            if n_lists == LISTS:
                return


def _unwrap(value: bytes) -> bytes | str:
    """Return the list inside its OCTET STRING, in extensions of certificates and of responses; text with the reason if that
    fails."""
    try:
        _, start, end, _ = expect(value, 0, len(value), OCTET_STRING, "SignedCertificateTimestampList")
    except ParseError as error:
        return f"the list of timestamps cannot be read: {error}"
    return value[start:end]


def _precertificate(certificate: bytes, issuer: bytes | None) -> bytes | str:
    """Return what a log signed for a certificate that contains its timestamp; text with the reason if that is not available."""
    signer = None if issuer is None else identity(issuer)
    if signer is None:
        return "the certificate's issuer is not at hand, and what the log signed has the hash of its key"
    try:
        return _PRECERT_ENTRY + sha256(signer.public_key).digest() + _opaque24(_without_timestamps(certificate))
    except ParseError as error:
        return f"the certificate cannot be taken apart: {error}"


def _without_timestamps(der: bytes) -> bytes:
    """Return the tbsCertificate, encoded again without the extension that has the timestamps. Raises `Malformed`."""
    layout = Layout(der)
    for at, (tag, start, end, after) in layout.behind:
        if tag == EXTENSIONS_TAG and layout.signed is not None:
            kept = b"".join(
                der[pos : extension[3]]
                for pos, extension, (_, first, last, _) in extension_places(der, start, end)
                if der[first:last] != IN_CERTIFICATE
            )
            extensions = _element(EXTENSIONS_TAG, _element(SEQUENCE, kept)) if kept else b""
            _, first, last, _ = layout.signed[1]
            return _element(SEQUENCE, der[first:at] + extensions + der[after:last])
    raise Malformed("extensions", len(der), "there are none")


def _element(tag: int, content: bytes) -> bytes:
    n_bytes = len(content)
    if n_bytes < 0x80:
        return bytes((tag, n_bytes)) + content
    length = n_bytes.to_bytes((n_bytes.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def _opaque24(content: bytes) -> bytes:
    return (len(content) & 0xFFFFFF).to_bytes(3, "big") + content
