"""Lists all problems of a path, at a time, for a name and a purpose (RFC 5280, section 6; RFC 9525).

A path is a list from the leaf to the root. Each certificate is checked by itself and in its position. Each signature is checked
with the key of the next certificate. The constraints of each authority are checked against all certificates below it. All
problems are returned, not only the first.
"""

from calendar import timegm
from datetime import UTC, datetime

from analyzer.x509.certificate_view import CertificateView
from analyzer.x509.host_name import checkable, describe, matches
from analyzer.x509.name_constraints import constraints, name_not_allowed
from analyzer.x509.path_building import Path
from analyzer.x509.profile_rules import (
    DIGITAL_SIGNATURE,
    KEY_AGREEMENT,
    KEY_CERT_SIGN,
    KEY_ENCIPHERMENT,
    Role,
    faults,
    predates_rule,
)
from analyzer.x509.signature_strength import UNREADABLE, signature_algorithm
from analyzer.x509.weak_key import key_weakness

SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"
ANY_PURPOSE = "2.5.29.37.0"

SERVER_GATED = frozenset(("2.16.840.1.113730.4.1", "1.3.6.1.4.1.311.10.3.3"))
"""Purposes by which Netscape and Microsoft named server authentication in certificates of authorities, since the 1990s."""

END_OF_SERVER_GATED = timegm((2016, 8, 23, 0, 0, 0))
"""The end of the time in which a certificate could have these purposes; Firefox uses the same date."""

PURPOSES_SHOWN = 5
"""Maximum number of purposes of a certificate that a sentence lists."""

_PURPOSE_NAMES = {
    SERVER_AUTH: "server authentication",
    CLIENT_AUTH: "client authentication",
    ANY_PURPOSE: "any purpose",
    "1.3.6.1.5.5.7.3.3": "code signing",
    "1.3.6.1.5.5.7.3.4": "e-mail protection",
    "1.3.6.1.5.5.7.3.8": "time stamping",
    "1.3.6.1.5.5.7.3.9": "OCSP signing",
}

_NEEDED = {
    "signature": (DIGITAL_SIGNATURE, "digitalSignature, and its key signed the handshake"),
    "encipherment": (KEY_ENCIPHERMENT, "keyEncipherment, and the handshake encrypts to its key"),
}
"""For each use of the key: the bit of the key usage that allows it, and a part of a sentence."""

Finding = tuple[str, int, str]
"""A code, the position in the path, a sentence."""


def path_problems(path: Path, at: int, name: str | None, purpose: str, max_depth: int | None) -> list[Finding]:
    """Return all problems of a path. at: seconds since the epoch. max_depth: the maximum number of intermediates."""
    certificates = path.certificates
    found: list[Finding] = []
    if not path.trusted:
        found += _trust(path)
    for place, certificate in enumerate(certificates):
        is_root = place == len(certificates) - 1 and (path.trusted or certificate.self_issued)
        role = Role.LEAF if place == 0 else Role.ROOT if is_root else Role.AUTHORITY
        found += [(code, place, sentence) for code, sentence in faults(certificate, role, server=purpose == "server")]
        if place < len(path.signatures):
            found += _signature(path, place)
        found += _validity(certificate, place, at)
        found += _purpose(certificate, place, purpose)
        if place:
            found += _may_issue(certificate, place, role)
            found += _length(certificates, place)
            found += _limits(certificates, place)
    found += _depth(path, max_depth)
    if purpose == "server":
        found += _name(certificates[0], name)
    return found


def key_use_problems(leaf: CertificateView, key_use: str) -> list[Finding]:
    """Return whether the key usage of a leaf forbids what the handshake does with its key.

    key_use: `signature` (ECDHE, DHE and TLS 1.3) or `encipherment` (RSA key exchange); empty if it is not known or neither
    (RFC 5246, section 7.4.2; RFC 8446, section 4.4.2.2).
    """
    usage, needed = leaf.key_usage, _NEEDED.get(key_use)
    if usage is None or needed is None or usage & needed[0]:
        return []
    return [("wrong_purpose", 0, f"the key usage of {leaf.title} does not include {needed[1]}")]


def _trust(path: Path) -> list[Finding]:
    """Return why a path that ends without a root does not reach one."""
    last, place = path.certificates[-1], len(path.certificates) - 1
    if not last.found:
        return [("unknown_issuer", place, "who issued it cannot be read")]
    if last.self_issued and last.own_signature.result == "bad":
        found = [("unknown_issuer", place, f"{last.title} is its own issuer by name, and its key has not signed it")]
        if last.issuer_key_identifier in (None, last.subject_key_identifier):
            found.append(("bad_signature", place, f"{last.title} claims to have signed itself: {last.own_signature.why}"))
        return found
    if last.self_issued and place == 0:
        return [("self_signed", place, f"{last.title} has signed itself and is not in the trust store")]
    if last.self_issued:
        sentence = f"the path ends at {last.title}, which has signed itself and is not in the trust store"
        return [("unknown_issuer", place, sentence)]
    issuer = last.facts.issuer or ""
    shown = issuer if len(issuer) <= 120 else issuer[:120] + "…"
    sentence = f'the issuer of {last.title}, "{shown}", is neither in the trust store nor among the certificates at hand'
    return [("unknown_issuer", place, sentence)]


def _signature(path: Path, place: int) -> list[Finding]:
    certificate, issuer = path.certificates[place], path.certificates[place + 1]
    found: list[Finding] = []
    algorithm = signature_algorithm(certificate.algorithm)
    outcome = path.signatures[place]
    if algorithm is UNREADABLE:
        return [("malformed", place, f"the signature algorithm of {certificate.title} cannot be read, or has false parameters")]
    if algorithm.weakness is not None:
        found.append(("weak_signature", place, f"{certificate.title} is signed with {algorithm.name}, {algorithm.weakness}"))
    if outcome.result == "bad":
        sentence = f"the signature on {certificate.title} is not that of {issuer.title}: {outcome.why}"
        found.append(("bad_signature", place, sentence))
    elif outcome.result == "unknown" and algorithm.weakness is None and key_weakness(issuer.spki) is None:
        sentence = f"the signature on {certificate.title} cannot be checked with the key of {issuer.title}: {outcome.why}"
        found.append(("weak_key", place + 1, sentence))
    return found


def _validity(certificate: CertificateView, place: int, at: int) -> list[Finding]:
    found: list[Finding] = []
    if certificate.not_after is not None and at > certificate.not_after:
        found.append(("expired", place, f"{certificate.title} expired on {_day(certificate.not_after)}"))
    if certificate.not_before is not None and at < certificate.not_before:
        found.append(("not_yet_valid", place, f"{certificate.title} is not valid before {_day(certificate.not_before)}"))
    return found


def _purpose(certificate: CertificateView, place: int, purpose: str) -> list[Finding]:
    wanted = SERVER_AUTH if purpose == "server" else CLIENT_AUTH
    purposes = certificate.purposes
    # An authority may have any purpose. A leaf must have the purpose itself, as browsers and OpenSSL require too.
    enough = {wanted, ANY_PURPOSE} if place else {wanted}
    if place and purpose == "server" and certificate.not_before is not None and certificate.not_before < END_OF_SERVER_GATED:
        enough |= SERVER_GATED
    if purposes and not purposes & enough:
        listed = ", ".join(sorted(_PURPOSE_NAMES.get(kind, kind) for kind in purposes)[:PURPOSES_SHOWN])
        return [("wrong_purpose", place, f"{certificate.title} is for {listed}, and not for {_PURPOSE_NAMES[wanted]}")]
    usage = certificate.key_usage
    if place == 0 and not certificate.is_ca and usage is not None:
        handshake = DIGITAL_SIGNATURE | KEY_ENCIPHERMENT | KEY_AGREEMENT
        if not usage & handshake:
            return [("wrong_purpose", place, f"the key usage of {certificate.title} allows none of what a handshake needs")]
    return []


def _may_issue(issuer: CertificateView, place: int, role: Role) -> list[Finding]:
    """Check that a certificate which issued another is an authority's."""
    basic = issuer.basic_constraints
    if basic is None:
        if role is Role.ROOT and issuer.version != 3 and predates_rule(issuer, role):
            return []  # It is older than the extension, and the trust store says that it is an authority.
        return [("not_a_ca", place, f"{issuer.title} has no basic constraints and so may not issue certificates")]
    if not basic[0]:
        return [("not_a_ca", place, f"{issuer.title} has issued a certificate and is no authority's by its basic constraints")]
    if issuer.key_usage is not None and not issuer.key_usage & KEY_CERT_SIGN:
        return [("not_a_ca", place, f"the key usage of {issuer.title} does not allow it to sign certificates")]
    return []


def _length(certificates: tuple[CertificateView, ...], place: int) -> list[Finding]:
    """Check the number of intermediates below the certificate at `place`; certificates that an authority issued to itself do
    not count."""
    issuer = certificates[place]
    if issuer.basic_constraints is None or issuer.basic_constraints[1] is None:
        return []
    most, below = issuer.basic_constraints[1], sum(not certificate.self_issued for certificate in certificates[1:place])
    if below <= most:
        return []
    return [("path_too_long", place, f"{issuer.title} allows {most} authorities below it, and there are {below}")]


def _limits(certificates: tuple[CertificateView, ...], place: int) -> list[Finding]:
    """Check all certificates below the one at `place` against its name constraints."""
    issuer = certificates[place]
    limits = constraints(issuer)
    if limits is None:
        return []
    found: list[Finding] = []
    for lower, below in enumerate(certificates[:place]):
        # A certificate that an authority issued to itself continues the authority; its name is checked only as a leaf.
        reason = None if lower and below.self_issued else name_not_allowed(limits, below)
        if reason is not None:
            found.append(("name_constraint", lower, f"{issuer.title} limits the names below it: of {below.title}, {reason}"))
    return found


def _depth(path: Path, max_depth: int | None) -> list[Finding]:
    if max_depth is None:
        return []
    middle = path.certificates[1:-1] if path.trusted else path.certificates[1:]
    depth = sum(not certificate.self_issued for certificate in middle)
    if depth <= max_depth:
        return []
    return [("path_too_long", 0, f"there are {depth} intermediates, and {max_depth} are the most allowed")]


def _name(leaf: CertificateView, name: str | None) -> list[Finding]:
    names = leaf.alternative_names
    if names is None or (name is not None and not checkable(names)):
        return [("no_name", 0, f"{leaf.title} names no host: it has no DNS name or address among its alternative names")]
    if name is None or matches(name, names):
        return []
    return [("name_mismatch", 0, f'{leaf.title} is for {describe(names)}, and not for "{name[:253]}"')]


def _day(seconds: int) -> str:
    """Return a time as text for people. The years of certificates are always in range."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
