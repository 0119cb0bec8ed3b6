"""Makes and checks signatures in the Cryptographic Message Syntax (CMS, RFC 5652), with the certificate of who signed inside.

The signature is over the signed attributes, which have the hash of the content and the hash of the signer's certificate
(RFC 5035), so that no other certificate with the same key can be put in its place. Without a time among the attributes the
same content and key give the same bytes, where the kind of signature has no random number in it.

To check a signature shows only that the key of the certificate inside signed these bytes. Whose certificate it is, and whether
anybody vouches for it, is another question: see `trusted_signers`.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asn1crypto import cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from analyzer.report.trusted_signers import UNREADABLE

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

LARGEST = 1 << 20
"""Bytes of a CMS object that is read, at most."""

MOST_CERTIFICATES = 32
"""Certificates in a CMS object that are looked at, at most."""

DATA, TST_INFO = "data", "tst_info"
"""Content types: any bytes, and a time stamp (RFC 3161)."""

_HASHES: dict[str, hashes.HashAlgorithm] = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
_SMALLEST_RSA = 2048
PARSING = (KeyError, IndexError, AttributeError, RecursionError, *UNREADABLE)
"""What asn1crypto and cryptography raise for bytes that are no such object."""


class CmsError(Exception):
    """A signature does not hold, or cannot be read. The text says why, and has nothing of the object itself."""


@dataclass(frozen=True, slots=True)
class SignedBy:
    """Who signed. certificate: that of the key that signed. others: further certificates inside, which nobody has checked.

    time: when it was signed, as the signer says; None where the signer does not say.
    """

    certificate: x509.Certificate
    others: Sequence[x509.Certificate]
    time: datetime | None


def digest_name(key: PrivateKey) -> str:
    """Return the hash that a key signs with: by the size of an EC key, SHA-512 for Ed25519 (RFC 8419), else SHA-256."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "sha512"
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.key_size > 256:
        return "sha384" if key.key_size <= 384 else "sha512"
    return "sha256"


def make_signature(
    digest: bytes, key: PrivateKey, certificate: x509.Certificate, others: Sequence[x509.Certificate], at: datetime | None
) -> bytes:
    """Return a detached signature in DER. digest: of the content, by `digest_name`. at: the time to write into it, or None."""
    name = digest_name(key)
    mine = asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
    issuer_and_serial = {"issuer": mine.issuer, "serial_number": mine.serial_number}
    attributes = [
        _attribute("content_type", DATA),
        _attribute("message_digest", digest),
        _attribute("signing_certificate_v2", tsp.SigningCertificateV2({"certs": [_certificate_id(certificate, mine)]})),
    ]
    if at is not None:
        attributes.append(_attribute("signing_time", cms.Time({"utc_time": at} if at.year < 2050 else {"general_time": at})))
    signed = cms.CMSAttributes(attributes)
    signature, algorithm = _sign(key, signed.dump(), name)
    algorithms = {"algorithm": name}
    signer = {
        "version": "v1",
        "sid": cms.SignerIdentifier({"issuer_and_serial_number": issuer_and_serial}),
        "digest_algorithm": algorithms,
        "signed_attrs": signed,
        "signature_algorithm": algorithm,
        "signature": signature,
    }
    everyone = [mine, *(asn1_x509.Certificate.load(one.public_bytes(Encoding.DER)) for one in others)]
    content = {
        "version": "v1",
        "digest_algorithms": [algorithms],
        "encap_content_info": {"content_type": DATA},
        "certificates": everyone,
        "signer_infos": [signer],
    }
    made = cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(content)})
    return bytes(made.dump())


def load(data: bytes) -> Any:
    """Return the SignedData of a CMS object in DER, which may be hostile. Raises CmsError."""
    if len(data) > LARGEST:
        raise CmsError(f"more than {LARGEST:,} bytes")
    try:
        info = cms.ContentInfo.load(data, strict=True)
        if info["content_type"].native != "signed_data":
            raise CmsError("no signed data")
        return info["content"]
    except PARSING as error:
        raise CmsError("it cannot be read as CMS") from error


def check_signature(signed_data: Any, digest_of: Callable[[str], bytes], content_type: str = DATA) -> SignedBy:
    """Check that the key of a certificate inside signed the content, and return who that is.

    signed_data: from `load`. digest_of: returns the digest of the content by the hash with this name. Raises CmsError.
    """
    try:
        return _check(signed_data, digest_of, content_type)
    except PARSING as error:
        raise CmsError("it cannot be read as CMS") from error


def _check(signed_data: Any, digest_of: Callable[[str], bytes], content_type: str) -> SignedBy:
    if len(signed_data["signer_infos"]) != 1:
        raise CmsError("it does not have exactly one signer")
    if signed_data["encap_content_info"]["content_type"].native != content_type:
        raise CmsError("it is over another type of content")
    (signer,) = signed_data["signer_infos"]
    certificate, others = _certificates(signed_data, signer["sid"])
    if not isinstance(signer["signed_attrs"], cms.CMSAttributes):
        raise CmsError("it has no signed attributes")
    attributes = signer["signed_attrs"].untag()
    values = _values(attributes)
    name = signer["digest_algorithm"]["algorithm"].native
    if name not in _HASHES:
        raise CmsError("its hash is none of SHA-256, SHA-384 and SHA-512")
    if _only(values, "content_type").native != content_type:
        raise CmsError("its attributes are for another type of content")
    if _only(values, "message_digest").native != digest_of(name):
        raise CmsError("it is a signature of other content")
    _check_certificate_id(values, certificate)
    try:
        _verify(certificate.public_key(), signer["signature"].native, attributes.dump(), signer["signature_algorithm"], name)
    except InvalidSignature as error:
        raise CmsError("the signature does not fit the key in the certificate") from error
    except UnsupportedAlgorithm as error:
        raise CmsError("the key in the certificate is of a kind that cannot be checked here") from error
    time = _only(values, "signing_time").native if "signing_time" in values else None
    return SignedBy(certificate, others, time)


def _attribute(kind: str, value: Any) -> Any:
    return cms.CMSAttribute({"type": kind, "values": [value]})


def _certificate_id(certificate: x509.Certificate, mine: Any) -> Any:
    serial = {"issuer": [asn1_x509.GeneralName({"directory_name": mine.issuer})], "serial_number": mine.serial_number}
    return tsp.ESSCertIDv2({"cert_hash": certificate.fingerprint(hashes.SHA256()), "issuer_serial": serial})


def _sign(key: PrivateKey, data: bytes, name: str) -> tuple[bytes, dict[str, Any]]:
    """Return a signature and its algorithm."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data), {"algorithm": "ed25519"}
    if isinstance(key, rsa.RSAPrivateKey):
        algorithm = {"algorithm": f"{name}_rsa", "parameters": core.Null()}
        return key.sign(data, padding.PKCS1v15(), _HASHES[name]), algorithm
    try:
        signature = key.sign(data, ec.ECDSA(_HASHES[name], deterministic_signing=True))
    except UnsupportedAlgorithm:  # an older library: with a random number, as it was before RFC 6979
        signature = key.sign(data, ec.ECDSA(_HASHES[name]))
    return signature, {"algorithm": f"{name}_ecdsa"}


def _certificates(signed_data: Any, sid: Any) -> tuple[x509.Certificate, list[x509.Certificate]]:
    inside = [one.chosen for one in signed_data["certificates"] if one.name == "certificate"]
    if len(inside) > MOST_CERTIFICATES:
        raise CmsError(f"it has more than {MOST_CERTIFICATES} certificates")
    found = None
    others = []
    for one in inside:
        loaded = x509.load_der_x509_certificate(one.dump())
        if found is None and _is_named(one, sid):
            found = loaded
        else:
            others.append(loaded)
    if found is None:
        raise CmsError("the certificate of the signer is not in it")
    return found, others


def _is_named(certificate: Any, sid: Any) -> bool:
    if sid.name == "subject_key_identifier":
        return bool(certificate.key_identifier == sid.chosen.native)
    named = sid.chosen
    return bool(
        certificate.issuer.dump() == named["issuer"].dump() and certificate.serial_number == named["serial_number"].native
    )


def _values(attributes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for one in attributes:
        kind = one["type"].native
        if kind in values:
            raise CmsError("it has an attribute twice")
        values[kind] = one["values"]
    return values


def _only(values: dict[str, Any], kind: str) -> Any:
    found = values.get(kind)
    if found is None or len(found) != 1:
        raise CmsError(f"its attribute {kind.replace('_', '-')} is missing, or has several values")
    return found[0]


def _check_certificate_id(values: dict[str, Any], certificate: x509.Certificate) -> None:
    """Check the hash of the certificate, where the signer has put it into the attributes (RFC 5035, RFC 2634)."""
    if "signing_certificate_v2" in values:
        first = _only(values, "signing_certificate_v2")["certs"][0]
        name = first["hash_algorithm"]["algorithm"].native
        if name not in _HASHES:
            raise CmsError("it names its certificate by an unknown hash")
    elif "signing_certificate" in values:
        first, name = _only(values, "signing_certificate")["certs"][0], "sha1"
    else:
        return
    if hashlib.new(name, certificate.public_bytes(Encoding.DER), usedforsecurity=False).digest() != first["cert_hash"].native:
        raise CmsError("it was made for another certificate with this name")


def _verify(key: Any, signature: bytes, data: bytes, algorithm: Any, name: str) -> None:
    """Raises InvalidSignature, UnsupportedAlgorithm, CmsError."""
    kind = algorithm.signature_algo
    if isinstance(key, ed25519.Ed25519PublicKey) and kind == "ed25519":
        key.verify(signature, data)
        return
    stated = name if kind == "ed25519" or algorithm["algorithm"].native in ("rsassa_pkcs1v15", "ecdsa") else algorithm.hash_algo
    if stated != name:
        raise CmsError("it names two different hashes")
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _SMALLEST_RSA:
        raise CmsError(f"an RSA key of {key.key_size} bits shows nothing")
    if isinstance(key, rsa.RSAPublicKey) and kind == "rsassa_pkcs1v15":
        key.verify(signature, data, padding.PKCS1v15(), _HASHES[name])
    elif isinstance(key, rsa.RSAPublicKey) and kind == "rsassa_pss":
        key.verify(signature, data, padding.PSS(padding.MGF1(_HASHES[name]), padding.PSS.AUTO), _HASHES[name])
    elif isinstance(key, ec.EllipticCurvePublicKey) and kind == "ecdsa":
        key.verify(signature, data, ec.ECDSA(_HASHES[name]))
    else:
        raise CmsError("the key in its certificate does not make such signatures")
