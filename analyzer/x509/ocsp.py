"""Evaluates OCSP responses: what one says about a certificate, and whether its signer is allowed to say it (RFC 6960).

A response contains statuses of certificates, and one signature. Each certificate is named by hashes of its issuer's name and
key, and by its serial number. The signer must be the issuer, or a delegate: its certificate is in the response, signed by the
issuer itself, and has the extended key usage id-kp-OCSPSigning (section 4.2.2.2). Responses of any other signer do not count.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import new as new_hash

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from analyzer.x509.certificate_id import Identity, identity
from analyzer.x509.certificate_view import certificate_view
from analyzer.x509.ocsp_response import Answer, Response, read_response
from analyzer.x509.revocation_status import UNREADABLE, RevocationStatus, stated, validity_interval
from analyzer.x509.signature import Check, verify, verify_once

DELEGATES = 4
"""Maximum number of certificates of one response that are tried as the signer's: each costs two signatures. Real ones have
one."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A description of the signer, and the validity of its certificate. None for the issuer, whose validity is not checked
    here."""

    name: str
    not_before: datetime | None = None
    not_after: datetime | None = None


def judge_ocsp(der: bytes, certificate: Identity, issuer: Identity) -> list[RevocationStatus]:
    """Return what a response says about a certificate; empty if it is about others. One that cannot be read gives an error
    status."""
    response = read_response(der)
    if response.error is not None and not response.answers:
        return [RevocationStatus("ocsp", "unknown", "", error=response.error)]
    about = [answer for answer in response.answers if _is_about(answer, certificate, issuer)]
    if not about:
        return []
    signer = _find_signer(response, issuer) if response.error is None else response.error
    return [_judge(response, answer, signer) for answer in about]


def _is_about(answer: Answer, certificate: Identity, issuer: Identity) -> bool:
    """Return whether a SingleResponse's CertID names this certificate."""
    if answer.serial != certificate.serial or answer.hashed is None:
        return False
    algorithm, name, key = answer.hashed
    return name == _hash(algorithm, certificate.issuer) and key == _hash(algorithm, issuer.key)


def _judge(response: Response, answer: Answer, found: Signer | str) -> RevocationStatus:
    """Return the status in a SingleResponse. found: the signer of the response, or why nothing in it counts."""
    signer, error = (found, None) if isinstance(found, Signer) else (None, found)
    since, until = validity_interval(answer.this_update, answer.next_update)
    if signer is not None and signer.not_before is not None and signer.not_after is not None:
        made = response.produced_at or answer.this_update
        if not signer.not_before <= made <= signer.not_after:
            error = f"it was made on {stated(made)}, when the certificate of {signer.name} was not valid"
        since, until = max(since, signer.not_before), min(until, signer.not_after)
    return RevocationStatus(
        "ocsp",
        answer.status,
        signer.name if signer else "",
        answer.this_update,
        answer.next_update,
        since,
        until,
        answer.revoked_at,
        answer.reason,
        error=error,
    )


def _find_signer(response: Response, issuer: Identity) -> Signer | str:
    """Find the signer: the issuer or a delegate. Otherwise return the reason as text."""
    check = _check(response, issuer.public_key)
    if check == "verified":
        return Signer("the issuer")
    # The responder's identifier proves nothing. It only decides which certificate is tried first.
    candidates = sorted(response.certificates, key=lambda candidate: not _is_named(response.responder, candidate))
    faults: list[str] = []
    for der in candidates[:DELEGATES]:
        delegate = identity(der)
        if delegate is None or _check(response, delegate.public_key) != "verified":
            continue
        try:
            candidate = x509.load_der_x509_certificate(der)
            name = f"the delegate {candidate.subject.rfc4514_string()}"
            fault = _fault(candidate, der, delegate, issuer)
            if fault is None:
                return Signer(name, candidate.not_valid_before_utc, candidate.not_valid_after_utc)
        except UNREADABLE as error:
            name, fault = "a delegate", f"whose certificate cannot be read: {error}"
        faults.append(f"{name} signed it, {fault}")
    if faults:
        return faults[0]
    if check == "unverifiable":
        return "the issuer's key and its signature algorithm cannot be checked together, and no delegate in it signed it"
    return "its signature is neither the issuer's nor that of a certificate in it"


def _fault(candidate: x509.Certificate, der: bytes, delegate: Identity, issuer: Identity) -> str | None:
    """Return why the owner of a certificate may not sign for the issuer; None if it may. Raises one of `UNREADABLE`."""
    if delegate.issuer != issuer.subject:
        return "whose certificate is from another issuer"
    extensions = {extension.oid: extension for extension in candidate.extensions}
    usages = extensions.get(x509.ExtendedKeyUsage.oid)
    if usages is None or ExtendedKeyUsageOID.OCSP_SIGNING not in usages.value:
        return "whose certificate is not for signing OCSP responses"
    if any(each.critical and isinstance(each.value, x509.UnrecognizedExtension) for each in extensions.values()):
        return "whose certificate has an unknown critical extension"
    signed = certificate_view(der)
    check = verify(issuer.public_key, signed.algorithm, signed.signature, signed.signed)
    return None if check == "verified" else "whose certificate the issuer has not signed"


def _check(response: Response, public_key: bytes) -> Check:
    return verify_once(response.checks, public_key, response.algorithm, response.signature, response.signed)


def _is_named(responder: bytes, candidate: bytes) -> bool:
    found = identity(candidate)
    return found is not None and responder in (found.subject, _hash("sha1", found.key))


def _hash(algorithm: str, octets: bytes) -> bytes:
    return new_hash(algorithm, octets, usedforsecurity=False).digest()
