"""Has the rules by which a signature of a handshake may be made with a scheme and a key, beyond agreeing with its key.

In TLS 1.3 a scheme names the hash, the padding and the curve, and the old schemes are for certificates only (RFC 9846 section
4.3.3). Up to TLS 1.2 the cipher suite says what key the server signs with (RFC 5246 section 7.4.3). In all versions since TLS
1.2 the peer has to accept the scheme. A peer that follows its RFC ends the handshake at a signature that breaks such a rule, so
the signature proves nothing to it, although the arithmetic agrees.
"""

from typing import Any

from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

from analyzer.codec.registry import registry
from analyzer.tls.handshake.authentication import Signed
from analyzer.tls.handshake.message_order import rule
from analyzer.x509.der import encode_object_identifier

CLIENT = 0

SCHEME_RULE, ACCEPTED_RULE, SUITE_RULE = rule(9846, "4.3.3"), rule(9846, "4.5.2"), rule(5246, "7.4.3")

PSS_KEY = encode_object_identifier("1.2.840.113549.1.1.10")
"""The algorithm of an RSA key that is for RSASSA-PSS only (RFC 4055 section 1.2)."""

FARTHEST = 32
"""The algorithm of a key stands in so many first bytes of its SubjectPublicKeyInfo."""

PKCS1_OF_CLIENTS = frozenset({0x0420, 0x0520, 0x0620})
"""Schemes of PKCS #1, 1.5 in TLS 1.3, for clients whose key is in old hardware (draft-ietf-tls-tls13-pkcs1)."""

SIGNERS: dict[str, tuple[type[Any], ...]] = {
    "RSA": (rsa.RSAPublicKey,),
    "DSS": (dsa.DSAPublicKey,),
    "ECDSA": (ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey, ed448.Ed448PublicKey),
    "SRP_RSA": (rsa.RSAPublicKey,),
    "SRP_DSS": (dsa.DSAPublicKey,),
}
"""The keys with which a server signs, by the authentication of the suite (RFC 5246 section 7.4.3, RFC 8422 section 5.10)."""


def objection(signed: Signed, key: Any, spki: bytes) -> str:
    """Return why its RFC does not allow a signature that agrees with its key, or "". spki: that key, as it was sent."""
    if not signed.tls13 and signed.role != CLIENT and not isinstance(key, SIGNERS.get(signed.method, (object,))):
        return f"the cipher suite is for a key of the kind {signed.method}, and the signer has another ({SUITE_RULE})"
    if signed.scheme is None:
        return ""
    name = registry("signature_schemes").names[signed.scheme]
    if signed.tls13:
        why = _objection13(signed.scheme, name, signed.role, key)
        if why:
            return why
    for_pss = PSS_KEY in spki[:FARTHEST]
    if isinstance(key, rsa.RSAPublicKey) and for_pss != name.startswith("rsa_pss_pss"):
        if for_pss:
            return f"it is made with {name}, and its key is for rsa_pss_pss alone ({SCHEME_RULE})"
        if name.startswith("rsa_pss_pss"):
            return f"it is made with {name}, and its key is not for RSASSA-PSS alone ({SCHEME_RULE})"
    if signed.offered and signed.scheme not in signed.offered:
        where = ACCEPTED_RULE if signed.tls13 else SUITE_RULE
        return f"it is made with {name}, which the {'server' if signed.role == CLIENT else 'client'} does not accept ({where})"
    return ""


def _objection13(scheme: int, name: str, role: int, key: Any) -> str:
    """Return why TLS 1.3 does not allow a scheme with a key, or ""."""
    words = name.split("_")
    old = words[0] == "dsa" or words[:2] == ["rsa", "pkcs1"] or words[-1] in ("sha1", "sha224", "md5")
    if old and not (scheme in PKCS1_OF_CLIENTS and role == CLIENT):
        return f"it is made with {name}, which TLS 1.3 allows in certificates only ({SCHEME_RULE})"
    if words[0] == "ecdsa" and isinstance(key, ec.EllipticCurvePublicKey):
        curve = words[1].removesuffix("tls13")
        if key.curve.name.lower() != curve.lower():
            return f"it is made with {name}, and the curve of its key is {key.curve.name} ({SCHEME_RULE})"
    return ""
