"""The Online Certificate Status Protocol: what a response says of a certificate, and whether it may say so (RFC 6960).

A response carries answers about certificates, each named by hashes of its issuer's name and key and its serial number, and one
signature. That is the issuer's own or that of a delegate: a certificate inside the response which the issuer has signed itself
and which has the extended key usage id-kp-OCSPSigning (section 4.2.2.2). Anyone else may say what they like.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import new as new_hash

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from analyzer.codec.trouble import Trouble
from analyzer.x509.der import INTEGER, SEQUENCE, expect, read_element
from analyzer.x509.identity import Identity, identity, read_extensions
from analyzer.x509.signature import verify
from analyzer.x509.statement import UNREADABLE, Statement, Status, stated, stretch

RESPONSE_SIZE = 1 << 18
"""Largest response read, in bytes; those of the web take 500 to 3000, of which certificates are most."""

REMEMBERED = 256
"""Responses remembered by their bytes: a server staples the same one to all sessions of a day."""

ANSWERS = 256
"""Answers of one response looked at; responders of the web give one."""

DELEGATES = 4
"""Certificates of one response tried as the signer's: each costs two signatures. Real responses carry one."""

_STATUSES: dict[ocsp.OCSPCertStatus, Status] = {
    ocsp.OCSPCertStatus.GOOD: "good",
    ocsp.OCSPCertStatus.REVOKED: "revoked",
    ocsp.OCSPCertStatus.UNKNOWN: "unknown",
}
_REFUSALS = {
    ocsp.OCSPResponseStatus.MALFORMED_REQUEST: "malformedRequest",
    ocsp.OCSPResponseStatus.INTERNAL_ERROR: "internalError",
    ocsp.OCSPResponseStatus.TRY_LATER: "tryLater",
    ocsp.OCSPResponseStatus.SIG_REQUIRED: "sigRequired",
    ocsp.OCSPResponseStatus.UNAUTHORIZED: "unauthorized",
}
_SINGLE_EXTENSIONS = 0xA1
_HASHES = frozenset(("sha1", "sha224", "sha256", "sha384", "sha512"))


@dataclass(frozen=True, slots=True)
class Answer:
    """One SingleResponse; hashed: the algorithm, and with it the hashes of the issuer's name and key; None if unsupported."""

    serial: int
    hashed: tuple[str, bytes, bytes] | None
    status: Status
    this_update: datetime
    next_update: datetime | None
    revoked_at: datetime | None
    reason: str | None

    def is_about(self, certificate: Identity, issuer: Identity) -> bool:
        """Whether its CertID names this certificate."""
        if self.serial != certificate.serial or self.hashed is None:
            return False
        algorithm, name, key = self.hashed
        return name == _hash(algorithm, certificate.issuer) and key == _hash(algorithm, issuer.key)


@dataclass(frozen=True, slots=True)
class Response:
    """A response as read; algorithm: the AlgorithmIdentifier of its signature, DER; trouble: why it can never count."""

    answers: tuple[Answer, ...] = ()
    produced_at: datetime | None = None
    responder: bytes | x509.Name | None = None
    signed: bytes = b""
    algorithm: bytes = b""
    signature: bytes = b""
    certificates: tuple[x509.Certificate, ...] = ()
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed, in words, and when its certificate is valid; of the issuer nothing is asked here, so None."""

    name: str
    not_before: datetime | None = None
    not_after: datetime | None = None


def read_response(der: bytes) -> Response:
    """Read an OCSPResponse; never raises, what cannot be read has its `trouble` said."""
    if len(der) > RESPONSE_SIZE:
        return Response(trouble=f"it has {len(der)} bytes, and more than {RESPONSE_SIZE} are not read")
    return _read(der)


def judge_ocsp(der: bytes, certificate: Identity, issuer: Identity) -> list[Statement]:
    """Give what a response says of a certificate: nothing if it is about others. One that cannot be read is always told."""
    response = read_response(der)
    if response.trouble is not None and not response.answers:
        return [Statement("ocsp", "unknown", "", trouble=response.trouble)]
    return [_judge(response, answer, issuer) for answer in response.answers if answer.is_about(certificate, issuer)]


def single_extension(der: bytes, serial: int, kind: bytes) -> bytes | None:
    """Give the value of the extension `kind` (its octets) in the answer about this serial number; None if there is none."""
    try:
        signed = read_response(der).signed
        _, pos, end, _ = expect(signed, 0, len(signed), SEQUENCE, "tbsResponseData")
        return _find_extension(signed, pos, end, serial, kind)
    except Trouble:
        return None


def _find_extension(der: bytes, pos: int, end: int, serial: int, kind: bytes) -> bytes | None:
    tag = 0
    while tag != SEQUENCE:  # version, responderID and producedAt come first
        tag, start, stop, pos = read_element(der, pos, end, "responses")
    for _ in range(ANSWERS):
        if start >= stop:
            break
        _, inner, last, start = expect(der, start, stop, SEQUENCE, "SingleResponse")
        _, first, after, inner = expect(der, inner, last, SEQUENCE, "certID")
        for _ in range(3):
            first = read_element(der, first, after, "certID")[3]
        _, first, after, _ = expect(der, first, after, INTEGER, "serialNumber")
        if int.from_bytes(der[first:after], "big", signed=True) != serial:
            continue
        while inner < last:
            tag, first, after, inner = read_element(der, inner, last, "SingleResponse")
            if tag == _SINGLE_EXTENSIONS and first < after and der[first] == SEQUENCE:
                return read_extensions(der, first, after).get(kind)
    return None


def _judge(response: Response, answer: Answer, issuer: Identity) -> Statement:
    trouble = response.trouble
    signer: Signer | None = None
    if trouble is None:
        found = _find_signer(response, issuer)
        if isinstance(found, Signer):
            signer = found
        else:
            trouble = found
    since, until = stretch(answer.this_update, answer.next_update)
    if signer is not None and signer.not_before is not None and signer.not_after is not None:
        made = response.produced_at or answer.this_update
        if not signer.not_before <= made <= signer.not_after:
            trouble = f"it was made on {stated(made)}, when the certificate of {signer.name} was not valid"
        since, until = max(since, signer.not_before), min(until, signer.not_after)
    return Statement(
        "ocsp",
        answer.status,
        signer.name if signer else "",
        answer.this_update,
        answer.next_update,
        since,
        until,
        answer.revoked_at,
        answer.reason,
        trouble=trouble,
    )


def _find_signer(response: Response, issuer: Identity) -> Signer | str:
    """Find whose signature it is, the issuer's or a delegate's; otherwise say what is wrong."""
    check = _check(response, issuer.public_key)
    if check == "verified":
        return Signer("the issuer")
    # The responder's identifier is no proof of anything, so it only says whom to try first.
    candidates = sorted(response.certificates, key=lambda candidate: not _is_named(response.responder, candidate))
    faults: list[str] = []
    for candidate in candidates[:DELEGATES]:
        try:
            der = candidate.public_bytes(Encoding.DER)
            name = f"the delegate {candidate.subject.rfc4514_string()}"
        except UNREADABLE:
            continue
        delegate = identity(der)
        if delegate is None or _check(response, delegate.public_key) != "verified":
            continue
        fault = _fault(candidate, delegate, issuer)
        if fault is None:
            return Signer(name, candidate.not_valid_before_utc, candidate.not_valid_after_utc)
        faults.append(f"{name} signed it, {fault}")
    if faults:
        return faults[0]
    if check == "unverifiable":
        return "the issuer's key and its signature algorithm cannot be checked together, and no delegate in it signed it"
    return "its signature is neither the issuer's nor that of a certificate in it"


def _fault(candidate: x509.Certificate, delegate: Identity, issuer: Identity) -> str | None:
    """Say why the owner of a certificate may not answer for the issuer; None when it may."""
    if delegate.issuer != issuer.subject:
        return "whose certificate is from another issuer"
    try:
        usages = candidate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        allowed = ExtendedKeyUsageOID.OCSP_SIGNING in usages
        critical = any(e.critical and isinstance(e.value, x509.UnrecognizedExtension) for e in candidate.extensions)
    except x509.ExtensionNotFound:
        allowed = critical = False
    except UNREADABLE as error:
        return f"whose certificate's extensions cannot be read: {error}"
    if not allowed:
        return "whose certificate is not for signing OCSP responses"
    if critical:
        return "whose certificate has an unknown critical extension"
    algorithm = _algorithm(candidate.public_bytes(Encoding.DER), candidate.tbs_certificate_bytes)
    check = verify(issuer.public_key, algorithm, candidate.signature, candidate.tbs_certificate_bytes)
    return None if check == "verified" else "whose certificate the issuer has not signed"


def _check(response: Response, public_key: bytes) -> str:
    return verify(public_key, response.algorithm, response.signature, response.signed)


def _is_named(responder: bytes | x509.Name | None, candidate: x509.Certificate) -> bool:
    try:
        if isinstance(responder, x509.Name):
            return candidate.subject == responder
        found = identity(candidate.public_bytes(Encoding.DER))
        return found is not None and _hash("sha1", found.key) == responder
    except UNREADABLE:
        return False


@lru_cache(maxsize=REMEMBERED)
def _read(der: bytes) -> Response:
    try:
        parsed = ocsp.load_der_ocsp_response(der)
        if parsed.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return Response(trouble=f"the responder refused: {_REFUSALS.get(parsed.response_status, 'for an unknown reason')}")
        answers: list[Answer] = []
        for single in parsed.responses:
            answers.append(_answer(single))
            if len(answers) == ANSWERS:
                break
        signed = parsed.tbs_response_bytes
        critical = any(e.critical and isinstance(e.value, x509.UnrecognizedExtension) for e in parsed.extensions)
        return Response(
            tuple(answers),
            parsed.produced_at_utc,
            parsed.responder_key_hash if parsed.responder_name is None else parsed.responder_name,
            signed,
            _algorithm(der, signed),
            parsed.signature,
            tuple(parsed.certificates[:DELEGATES]),
            "it has an unknown critical extension" if critical else None,
        )
    except UNREADABLE as error:
        return Response(trouble=f"it cannot be read: {error}")


def _answer(single: ocsp.OCSPSingleResponse) -> Answer:
    algorithm = single.hash_algorithm.name
    return Answer(
        single.serial_number,
        (algorithm, single.issuer_name_hash, single.issuer_key_hash) if algorithm in _HASHES else None,
        _STATUSES[single.certificate_status],
        single.this_update_utc,
        single.next_update_utc,
        single.revocation_time_utc,
        single.revocation_reason.value if single.revocation_reason else None,
    )


def _algorithm(der: bytes, signed: bytes) -> bytes:
    """Give the AlgorithmIdentifier that follows the signed part; empty when there is none."""
    start = der.find(signed)
    if start < 0:
        return b""
    pos = start + len(signed)
    try:
        after = expect(der, pos, len(der), SEQUENCE, "signatureAlgorithm")[3]
    except Trouble:
        return b""
    return der[pos:after]


def _hash(algorithm: str, octets: bytes) -> bytes:
    return new_hash(algorithm, octets, usedforsecurity=False).digest()
