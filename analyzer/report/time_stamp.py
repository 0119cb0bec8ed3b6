"""Asks for time-stamp tokens (RFC 3161), and checks them: an authority says that a hash existed at a time.

A token proves that time only to who trusts the authority. Without its certificate, the signature of the token is checked
against the certificate that the token itself has; that shows that the token is whole, and nothing about who made it.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asn1crypto import cms, core, tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from analyzer.report.cms import PARSING, TST_INFO, CmsError, check_signature
from analyzer.report.trusted_signers import TrustedSigners, subject_of

LARGEST_TOKEN = 1 << 18
"""Bytes of a response of an authority, at most."""


class TokenError(Exception):
    """A token does not hold, or cannot be read. The text says why, and has nothing of the token itself."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a token says. authority: subject of the certificate that signed it. vouched: whether the user trusts that one."""

    time: datetime
    serial: int
    policy: str
    authority: str
    certificate_sha256: str
    vouched: bool


def make_request(manifest: bytes) -> tuple[bytes, int]:
    """Return a request for a token over SHA-256 of a manifest, and its nonce. It asks for the authority's certificate too."""
    builder = TimestampRequestBuilder().data(manifest).hash_algorithm(HashAlgorithm.SHA256)
    request = builder.nonce(nonce=True).cert_request(cert_request=True).build()
    if request.nonce is None:
        raise TokenError("the request has no nonce")
    return request.as_bytes(), request.nonce


def check_token(data: bytes, manifest: bytes, trusted: TrustedSigners | None, nonce: int | None = None) -> Stamp:
    """Check the response of an authority, which may be hostile, over a manifest, and return what its token says.

    trusted: certificates of authorities that the user trusts. nonce: that of the request, when the response has just come.
    Raises TokenError, also if none of the trusted certificates vouches for it.
    """
    if len(data) > LARGEST_TOKEN:
        raise TokenError(f"it has more than {LARGEST_TOKEN:,} bytes")
    try:
        _check_status(data)
        signed_data = tsp.TimeStampResp.load(data, strict=True)["time_stamp_token"]["content"]
        stamp, is_rooted = _checked(signed_data, manifest, trusted, nonce)
    except CmsError as error:
        raise TokenError(str(error)) from error
    except PARSING as error:
        raise TokenError("it cannot be read as a response of a time-stamp authority") from error
    if trusted is not None and is_rooted:
        _check_again(data, manifest, trusted)
    return stamp


def _check_status(data: bytes) -> None:
    """Check that the authority granted the request; a refusal has no token behind its status."""
    status = tsp.PKIStatusInfo.load(core.Sequence.load(data, strict=True)[0].dump(), strict=True)["status"].native
    if status != "granted":
        raise TokenError(f"the authority did not grant the request: {str(status).replace('_', ' ')}")


def _checked(signed_data: Any, manifest: bytes, trusted: TrustedSigners | None, nonce: int | None) -> tuple[Stamp, bool]:
    """Return what the token says, and whether the chain of its authority ends with a root that the user trusts."""
    encapsulated = signed_data["encap_content_info"]
    if encapsulated["content_type"].native != TST_INFO:
        raise TokenError("it has no time stamp in it")
    content = (
        encapsulated["content"].native if encapsulated["content"].parsed is None else encapsulated["content"].parsed.dump()
    )
    info = encapsulated["content"].parsed
    imprint = info["message_imprint"]
    digest = hashlib.sha256(manifest).digest()
    if imprint["hash_algorithm"]["algorithm"].native != "sha256" or imprint["hashed_message"].native != digest:
        raise TokenError("it is a token for other content")
    if nonce is not None and info["nonce"].native != nonce:
        raise TokenError("it answers another request: the nonce is not that of the request")
    signed_by = check_signature(signed_data, lambda name: hashlib.new(name, content).digest(), TST_INFO)
    time = info["gen_time"].native.astimezone(UTC)
    _check_purpose(signed_by.certificate, time)
    chain = [] if trusted is None else trusted.chain(signed_by.certificate, signed_by.others, time)
    if trusted is not None and not chain:
        raise TokenError("no certificate that you gave as trusted vouches for its authority")
    stamp = Stamp(
        time=time,
        serial=info["serial_number"].native,
        policy=info["policy"].dotted,
        authority=subject_of(signed_by.certificate),
        certificate_sha256=signed_by.certificate.fingerprint(hashes.SHA256()).hex(),
        vouched=bool(chain),
    )
    return stamp, bool(chain) and chain[-1].subject == chain[-1].issuer


def _check_purpose(certificate: x509.Certificate, time: datetime) -> None:
    """Check that a certificate is one for time stamps only (RFC 3161, section 2.3), and was valid."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound as error:
        raise TokenError("the certificate of its authority is not for time stamps") from error
    if not usage.critical or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise TokenError("the certificate of its authority is not for time stamps only")
    if not certificate.not_valid_before_utc <= time <= certificate.not_valid_after_utc:
        raise TokenError("the certificate of its authority was not valid at the time of the token")


def _in_order(data: bytes) -> bytes:
    """Put the certificates in a response into the order of DER, which OpenSSL does not keep and the library asks for.

    They are not part of what is signed.
    """
    response = tsp.TimeStampResp.load(data)
    certificates = response["time_stamp_token"]["content"]["certificates"]
    ordered = sorted(one.dump() for one in certificates)
    response["time_stamp_token"]["content"]["certificates"] = [cms.CertificateChoices.load(one) for one in ordered]
    return bytes(response.dump())


def _check_again(data: bytes, manifest: bytes, trusted: TrustedSigners) -> None:
    """Let the library check the same again, with its own reading of the token, and OpenSSL's of the chain to a root."""
    builder = VerifierBuilder()
    for one in trusted.certificates:
        builder = builder.add_root_certificate(one)
    try:
        builder.build().verify_message(decode_timestamp_response(_in_order(data)), manifest)
    except (VerificationError, ValueError) as error:
        raise TokenError("no certificate that you gave as trusted vouches for its authority") from error
