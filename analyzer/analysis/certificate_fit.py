"""Compares the kind of key in a certificate with what the cipher suite needs, or the server requests (RFC 5246 section 7.4.2).

Up to TLS 1.2 the cipher suite says how the server proves who it is: with an RSA, DSS or ECDSA key. In TLS 1.2 a signed key
exchange names its scheme, which is compared with the suite when it is read (`tls.handshake.content_rules`). So what is left are
suites in which the client encrypts with the RSA key of the certificate, and versions before TLS 1.2. A server that requests a
certificate of the client says which kinds of key it accepts (section 7.4.4).
"""

from functools import lru_cache

from analyzer.codec.registry import registry
from analyzer.tls.handshake.content_rules import is_raw_key
from analyzer.tls.messages.numbers import SSL3, TLS_1_2
from analyzer.tls.suites import Suite

REMEMBERED = 4096
"""Maximum number of certificates whose kind of key is kept. A few servers make nearly all handshakes."""

KINDS = {
    "RSA": frozenset({"rsa", "rsassa-pss"}),
    "DSS": frozenset({"dsa"}),
    "ECDSA": frozenset({"ec", "ed25519", "ed448"}),
}
"""The keys that fit, by how the suite authenticates the server (RFC 5246 section 7.4.2, RFC 8422 section 5.3)."""

SIGNED = frozenset({"DHE", "ECDHE"})

CERTIFICATE_TYPE = (19, 20)
"""The extensions client_certificate_type and server_certificate_type."""

RSA_SIGN, DSS_SIGN, ECDSA_SIGN, RSA_FIXED_ECDH, ECDSA_FIXED_ECDH = 1, 2, 64, 65, 66

TYPES = {
    "rsa": frozenset({RSA_SIGN}),
    "rsassa-pss": frozenset({RSA_SIGN}),
    "dsa": frozenset({DSS_SIGN}),
    "ec": frozenset({ECDSA_SIGN, RSA_FIXED_ECDH, ECDSA_FIXED_ECDH}),
    "ed25519": frozenset({ECDSA_SIGN}),
    "ed448": frozenset({ECDSA_SIGN}),
}
"""The types of client certificates (registry `client_certificate_types`) that a key fits (RFC 5246 section 7.4.4, RFC 8422
section 5.5)."""


def unrequested_certificate(der: bytes, types: tuple[int, ...]) -> tuple[str, str, str] | None:
    """Return the finding about a client's certificate whose key is of no kind that was requested; None if it fits.

    der: the certificate. types: of the CertificateRequest up to TLS 1.2. The result has code, severity and detail.
    """
    kind = key_kind(der)
    if kind not in TYPES or TYPES[kind].intersection(types):
        return None
    names = ", ".join(map(registry("client_certificate_types").name, types))
    detail = f"the client's certificate has a key of the kind {kind}, and the server requested {names} (RFC 5246 section 7.4.6)"
    return "not_offered", "medium", detail


def unagreed_raw_key(role: int, der: bytes, answered: tuple[int, ...]) -> tuple[str, str, str] | None:
    """Return the finding about a raw public key in the place of a certificate, up to TLS 1.2; None if it was agreed on.

    answered: the types of the extensions in the ServerHello (RFC 7250 section 4.2). The result has code, severity and detail.
    """
    if CERTIFICATE_TYPE[role] in answered or not is_raw_key(der):
        return None
    who = "server" if role else "client"
    why = "no such certificate type was agreed on (RFC 7250 section 4.2)"
    return "not_offered", "medium", f"the {who} sent a raw public key instead of a certificate, and {why}"


def unfit_certificate(der: bytes, chosen: Suite, version: int) -> tuple[str, str, str] | None:
    """Return the finding about a server's certificate whose key is not of the kind that the suite needs; None if it fits.

    der: the certificate. The result has code, severity and detail. Nothing is said about keys of an unknown kind.
    """
    exchange = chosen.key_exchange
    if chosen.authentication not in KINDS or not (SSL3 <= version <= TLS_1_2):
        return None
    if exchange != "RSA" and (exchange not in SIGNED or version == TLS_1_2):
        return None
    kind = key_kind(der)
    if kind in KINDS[chosen.authentication] or not any(kind in known for known in KINDS.values()):
        return None
    needs = f"and the cipher suite {chosen.name} needs a key of the kind {chosen.authentication}"
    detail = f"the server's certificate has a key of the kind {kind}, {needs} (RFC 5246 section 7.4.2)"
    return "faulty_answer", "medium", detail


@lru_cache(maxsize=REMEMBERED)
def key_kind(der: bytes) -> str:
    """Return the kind of the key in a certificate, as `x509.public_key` names it; "" if it cannot be read."""
    from analyzer.x509.certificate import certificate  # only for sessions of old kinds

    key = certificate(der).public_key
    return "" if key is None else key.type
