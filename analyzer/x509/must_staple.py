"""Checks a certificate that must come with an OCSP response: its TLS feature status_request ("must-staple", RFC 7633).

The issuer promises in the certificate that its server always staples a response. A client that asked for one (RFC 6066,
section 8) and gets none, or one that does not count, treats the certificate as invalid (RFC 7633, section 4.2.3.1): otherwise
whoever has stolen the key of a revoked certificate leaves out the response. A client that did not ask is owed nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from analyzer.codec.errors import ParseError
from analyzer.x509.certificate_view import CertificateView
from analyzer.x509.der import INTEGER, SEQUENCE, expect
from analyzer.x509.revocation import judge_revocation

TLS_FEATURE = "1.3.6.1.5.5.7.1.24"

FEATURES = 64
"""Maximum number of features of one certificate that are read; real certificates have one or two."""

_STATUS_REQUEST = 5


@dataclass(frozen=True, slots=True)
class Staple:
    """What a handshake shows of the OCSP responses for the sender's certificate.

    asked: whether the peer asked for one. responses: those that came for this certificate, DER.
    """

    asked: bool
    responses: tuple[bytes, ...] = ()


def features(certificate: CertificateView) -> tuple[int, ...]:
    """Return the TLS features of a certificate: numbers of extensions; empty without them, or if they cannot be read."""
    value = certificate.extensions.get(TLS_FEATURE)
    if value is None:
        return ()
    found: list[int] = []
    octets = value[1]
    try:
        _, pos, end, _ = expect(octets, 0, len(octets), SEQUENCE, "tlsFeature")
        while pos < end and len(found) < FEATURES:
            _, start, stop, pos = expect(octets, pos, end, INTEGER, "tlsFeature")
            found.append(int.from_bytes(octets[start : min(stop, start + 4)], "big"))
    except ParseError:
        return ()
    return tuple(found)


def must_staple(certificate: CertificateView) -> bool:
    """Return whether a certificate has to come with an OCSP response to who asked by status_request.

    status_request_v2 (RFC 6961) as a feature does not count: TLS 1.3 has no such message, and no verifier looks for it.
    """
    return _STATUS_REQUEST in features(certificate)


def staple_fault(
    path: Sequence[CertificateView], staple: Staple, at: datetime
) -> tuple[str | None, datetime | None, datetime | None]:
    """Return what is wrong with the response to the first certificate of a path that must be stapled, as a sentence.

    Return None if nothing is wrong, or if its issuer is not known, so that nobody can check a response. The two times bound the
    interval in which the result holds, as in `Revocation`.
    """
    leaf = path[0]
    if not staple.responses:
        if staple.asked:
            return f"{leaf.title} says that an OCSP response has to be stapled, and none was", None, None
        return f"{leaf.title} says that an OCSP response has to be stapled; none was, and nobody asked for one", None, None
    if len(path) < 2:
        return None, None, None
    found = judge_revocation(leaf.der, path[1].der, ocsp=staple.responses, at=at)
    if found.status != "unknown":
        return None, found.since, found.until
    sentence = f"{leaf.title} says that an OCSP response has to be stapled, and the one that was does not count: {found.detail}"
    return sentence, found.since, found.until
