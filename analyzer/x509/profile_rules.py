"""Checks a certificate by itself, in its role in a path (RFC 5280, section 4; the Web PKI's profile).

The profile is the one that the x509-limbo suite tests: RFC 5280 with those rules of the CA/Browser Forum that clients enforce.
There are different rules for a leaf, an intermediate authority and a root. Certificates that are older than the profile are
exempt: many of them do not satisfy it, and every client accepts them.

A fault is `malformed` if the certificate does not parse, or if every verifier refuses it. A rule that OpenSSL, Go and browsers
do not enforce is `non_conforming`: it is listed, and counts for a strict judge only.

Nothing here depends on the time, the name or the rest of the path. Therefore the faults are cached with the certificate.
"""

import re
from calendar import timegm
from collections.abc import Sequence
from enum import Enum
from ipaddress import ip_address

from analyzer.x509.certificate_view import (
    ALTERNATIVE_NAMES,
    AUTHORITY_KEY_IDENTIFIER,
    BASIC_CONSTRAINTS,
    EXTENDED_KEY_USAGE,
    KEY_USAGE,
    NAME_CONSTRAINTS,
    SUBJECT_ALT_NAME,
    SUBJECT_KEY_IDENTIFIER,
    CertificateView,
)
from analyzer.x509.der import encode_object_identifier
from analyzer.x509.distinguished import attributes, has_undecodable_unicode, text
from analyzer.x509.host_name import DNS_NAME, IP_ADDRESS, name_fault
from analyzer.x509.must_staple import TLS_FEATURE
from analyzer.x509.name_constraints import constraints
from analyzer.x509.signature_strength import signature_algorithm
from analyzer.x509.verdict import NON_CONFORMING
from analyzer.x509.weak_key import key_weakness

SERIAL_OCTETS = 20
"""Maximum length of a serial number, in bytes (RFC 5280, section 4.1.2.2)."""

NAME_FAULTS = 8
"""Maximum number of faulty alternative names that are reported for one certificate; further ones add no information."""

FIRST_CERTIFICATES = timegm((1996, 1, 1, 0, 0, 0))
"""Certificates of version 3 did not exist before this date; an earlier date is not real."""

FIRST_PROFILE = timegm((2012, 7, 1, 0, 0, 0))
"""Date of the CA/Browser Forum's first rules (Baseline Requirements 1.0)."""

PROFILE_OF_ROOTS = timegm((2023, 9, 15, 0, 0, 0))
"""Date of its profile of root certificates (Baseline Requirements 2.0.0)."""

KEY_CERT_SIGN = 1 << 5
DIGITAL_SIGNATURE = 1 << 0
KEY_ENCIPHERMENT = 1 << 2
KEY_AGREEMENT = 1 << 4

_ISSUER_ALT_NAME = "2.5.29.18"
_POLICIES = "2.5.29.32"
_POLICY_MAPPINGS = "2.5.29.33"
_POLICY_CONSTRAINTS = "2.5.29.36"
_INHIBIT_ANY_POLICY = "2.5.29.54"
_CRL_POINTS = "2.5.29.31"
_FRESHEST_CRL = "2.5.29.46"
_AUTHORITY_INFORMATION = "1.3.6.1.5.5.7.1.1"
_SUBJECT_INFORMATION = "1.3.6.1.5.5.7.1.11"
_OCSP_NO_CHECK = "1.3.6.1.5.5.7.48.1.5"
_SIGNED_TIMESTAMPS = "1.3.6.1.4.1.11129.2.4.2"
_POISON = "1.3.6.1.4.1.11129.2.4.3"

KNOWN = frozenset(
    (
        AUTHORITY_KEY_IDENTIFIER,
        BASIC_CONSTRAINTS,
        EXTENDED_KEY_USAGE,
        KEY_USAGE,
        NAME_CONSTRAINTS,
        SUBJECT_ALT_NAME,
        SUBJECT_KEY_IDENTIFIER,
        _ISSUER_ALT_NAME,
        _POLICIES,
        _POLICY_MAPPINGS,
        _POLICY_CONSTRAINTS,
        _INHIBIT_ANY_POLICY,
        _CRL_POINTS,
        _FRESHEST_CRL,
        _AUTHORITY_INFORMATION,
        _SUBJECT_INFORMATION,
        TLS_FEATURE,
        _OCSP_NO_CHECK,
        _SIGNED_TIMESTAMPS,
    )
)
"""Extensions that may be critical: they are either checked, or do not matter here (policies, distribution points of lists)."""

_NEVER_CRITICAL = {
    AUTHORITY_KEY_IDENTIFIER: "authority key identifier",
    SUBJECT_KEY_IDENTIFIER: "subject key identifier",
    _AUTHORITY_INFORMATION: "authority information access",
}
_COMMON_NAME = encode_object_identifier("2.5.4.3")
_HOST = re.compile(r"(?:\*\.)?[\w-]+(?:\.[\w-]+)+\.?")
_ADDRESS = re.compile(r"[0-9]+(?:\.[0-9]+){1,3}|0x[0-9A-Fa-f]+|\[?[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f.]*\]?")

_REFUSED_BY_SOME = ("::PrintableString", "::Ia5String", "::IA5String", "::NumericString")
"""Strings with characters that their type does not have: strict parsers refuse them, and OpenSSL reads them."""

_IN_NAMES = ('["subject"]', '["issuer"]')
_IN_ALGORITHM = "::signature_alg"
_NULL = b"\x05\x00"

Fault = tuple[str, str]
"""A code and a sentence."""


class Role(Enum):
    """The role of a certificate in a path. A root is in the trust store, or is self-signed; any key may have signed one in the
    store."""

    LEAF = "leaf"
    AUTHORITY = "authority"
    ROOT = "root"


def faults(subject: CertificateView, role: Role, *, server: bool) -> tuple[Fault, ...]:
    """Return all faults of a certificate by itself. server: whether the path is that of a server."""
    known = subject.faults.get((role, server))
    if known is None:
        known = subject.faults[role, server] = tuple(_faults(subject, role, server))
    return known


def _faults(subject: CertificateView, role: Role, server: bool) -> list[Fault]:
    found = _basic_fields(subject, role)
    if subject.found:
        found += _extensions(subject)
        found += _names(subject, role, server)
        found += _identifiers(subject, role)
        found += _authority(subject, role)
        weakness = key_weakness(subject.spki)
        if weakness is not None:
            found.append(("weak_key", f"the key of {subject.title} {weakness}"))
    if subject.refused is not None and all(code != "malformed" for code, _ in found):
        if _is_refused_by_some(subject, subject.refused):
            found.append(_unenforced(subject, f"is refused by strict parsers: {subject.refused}"))
        elif not subject.has_early_generalized_time and subject.version == 3:  # these two are reported already
            found.append(_malformed(subject, f"is not well-formed: {subject.refused}"))
    return found


def _is_refused_by_some(subject: CertificateView, refused: str) -> bool:
    """Return whether a strict parser refuses what OpenSSL reads, and Go too in most cases.

    These are characters that a type of string does not have, such as é in a TeletexString as old authorities wrote it; and
    NULL as the parameters of ECDSA, where RFC 5758, section 3.2, wants none.
    """
    if any(word in refused for word in _REFUSED_BY_SOME):
        return True
    if any(place in refused for place in _IN_NAMES):
        return not any(map(has_undecodable_unicode, (subject.subject_name, subject.issuer_name)))
    algorithm = subject.algorithm
    # Of a SEQUENCE of less than 128 bytes: its object identifier, then NULL and nothing else.
    only_null = algorithm[-2:] == _NULL and algorithm[1] == algorithm[3] + 4
    return _IN_ALGORITHM in refused and only_null and signature_algorithm(algorithm).keys == ("ec",)


def predates_rule(subject: CertificateView, role: Role) -> bool:
    """Return whether a certificate is older than the profile for its role."""
    profile = PROFILE_OF_ROOTS if role is Role.ROOT else FIRST_PROFILE
    return subject.not_before is not None and FIRST_CERTIFICATES <= subject.not_before < profile


def _malformed(subject: CertificateView, why: str) -> Fault:
    return "malformed", f"{subject.title} {why}"


def _unenforced(subject: CertificateView, why: str) -> Fault:
    return NON_CONFORMING, f"{subject.title} {why}"


def _basic_fields(subject: CertificateView, role: Role) -> list[Fault]:
    """Return the faults of the fields that every certificate has."""
    found: list[Fault] = []
    errors = subject.facts.problems
    if errors:
        found.append(_malformed(subject, f"cannot be read whole: {errors[0]}"))
    elif not subject.found:
        found.append(_malformed(subject, "cannot be read"))
    if not subject.found:
        return found
    if subject.version != 3 and not (role is Role.ROOT and predates_rule(subject, role)):
        found.append(_unenforced(subject, f"is of version {subject.version}, and only version 3 has extensions"))
    serial = int.from_bytes(subject.serial[:SERIAL_OCTETS], "big", signed=True)
    # Some of the oldest roots have the number 0; roots are not revoked by number.
    if serial < 0 or (serial == 0 and role is not Role.ROOT):
        found.append(_unenforced(subject, f"has the serial number {subject.facts.serial}, which is not positive"))
    elif len(subject.serial) > SERIAL_OCTETS:
        found.append(
            _unenforced(subject, f"has a serial number of {len(subject.serial)} octets, and {SERIAL_OCTETS} are the most")
        )
    if subject.algorithm != subject.inner_algorithm and not errors:
        found.append(_malformed(subject, "names one signature algorithm inside and another outside of what is signed"))
    if not subject.issuer_name:
        found.append(_unenforced(subject, "has no issuer"))
    if subject.has_early_generalized_time:
        found.append(_unenforced(subject, "writes a time before 2050 as GeneralizedTime, and RFC 5280 asks for UTCTime"))
    first, last = subject.not_before, subject.not_after
    if first is not None and last is not None and first > last:
        found.append(_unenforced(subject, f"is valid from {subject.facts.not_before} and only until {subject.facts.not_after}"))
    return found


def _extensions(subject: CertificateView) -> list[Fault]:
    """Return the faults that any extension can have."""
    found: list[Fault] = []
    if subject.extensions_unread is not None:
        found.append(_malformed(subject, f"has extensions that cannot be read: {subject.extensions_unread}"))
    found += [_malformed(subject, f"has the extension {kind} more than once") for kind in sorted(set(subject.repeated))]
    for kind, (critical, _) in subject.extensions.items():
        if not critical:
            if kind == _POLICY_CONSTRAINTS:
                found.append(_unenforced(subject, "has policy constraints that are not critical"))
        elif kind == _POISON:
            found.append(("unknown_critical_extension", f"{subject.title} is a precertificate, which no client may accept"))
        elif kind in _NEVER_CRITICAL:
            found.append(_unenforced(subject, f"has a critical {_NEVER_CRITICAL[kind]}, which must not be critical"))
        elif kind not in KNOWN:
            sentence = (
                f"{subject.title} has the critical extension {kind}, which no client may ignore and this one does not know"
            )
            found.append(("unknown_critical_extension", sentence))
    if subject.purposes is not None and not subject.purposes:
        found.append(_malformed(subject, "has an extended key usage that allows nothing"))
    return found


def _names(subject: CertificateView, role: Role, server: bool) -> list[Fault]:
    """Return the faults of the subject and the alternative names."""
    found: list[Fault] = []
    alternative = subject.extensions.get(SUBJECT_ALT_NAME)
    if not subject.subject_name:
        if role is not Role.LEAF:
            found.append(_unenforced(subject, "is an authority's and has no subject"))
        elif alternative is not None and not alternative[0]:
            found.append(_unenforced(subject, "has no subject, and its alternative names are not critical"))
    elif role is Role.LEAF and alternative is not None and alternative[0]:
        found.append(_unenforced(subject, "has a subject, and alternative names that are critical nevertheless"))
    if role is not Role.LEAF:
        return found
    names = subject.alternative_names or ()
    for tag, value in names:
        fault = name_fault(tag, value)
        if fault is not None and len(found) < NAME_FAULTS:
            found.append(_unenforced(subject, f"has among its alternative names {fault}"))
    if len(names) >= ALTERNATIVE_NAMES:
        found.append(_malformed(subject, f"has {ALTERNATIVE_NAMES} alternative names or more, and no more are read"))
    if alternative is not None and not names and subject.refused is None:
        found.append(_unenforced(subject, "has an empty list of alternative names"))
    if server and names:
        found += _common_names(subject, names)
    return found


def _common_names(subject: CertificateView, names: Sequence[tuple[int, bytes]]) -> list[Fault]:
    """Return faults for common names that contradict the alternative names.

    A common name that is a host or an address must be one of the alternative names, byte by byte, if these contain any of its
    kind. Accepted are also a host that matches a wildcard, and a domain whose hosts are alternative names.
    """
    found: list[Fault] = []
    hosts = [value for tag, value in names if tag == DNS_NAME]
    addresses = [str(ip_address(value)) for tag, value in names if tag == IP_ADDRESS and len(value) in (4, 16)]
    for tag, value in attributes(subject.subject_name, _COMMON_NAME)[:NAME_FAULTS]:
        common_name = text(tag, value)
        if _ADDRESS.fullmatch(common_name):
            contradicts = bool(addresses) and common_name not in addresses
        elif _HOST.fullmatch(common_name):
            wildcard = b"*." + value.partition(b".")[2]
            contradicts = bool(hosts) and not any(host in (value, wildcard) or host.endswith(b"." + value) for host in hosts)
        else:
            continue
        if contradicts:
            found.append(
                _unenforced(subject, f'has the common name "{common_name[:100]}", which is none of its alternative names')
            )
    return found


def _identifiers(subject: CertificateView, role: Role) -> list[Fault]:
    """Return the faults of the key identifiers, which are used to find paths."""
    found: list[Fault] = []
    if predates_rule(subject, role):
        return found
    authority = subject.authority_key_identifier
    if authority is None:
        # Only a self-signed certificate may omit it. A root signed by another root may also omit it, and is not checked here.
        if not subject.self_issued and role is not Role.ROOT:
            found.append(_unenforced(subject, "has no authority key identifier"))
    elif 0 not in authority:
        found.append(_unenforced(subject, "has an authority key identifier without a key identifier"))
    elif role is Role.ROOT and (1 in authority or 2 in authority):
        found.append(_unenforced(subject, "is a root whose authority key identifier names an issuer or a serial number"))
    elif role is Role.ROOT and subject.self_issued and subject.subject_key_identifier not in (None, authority[0]):
        found.append(_unenforced(subject, "is a root whose authority key identifier is not its subject key identifier"))
    if role is not Role.LEAF and subject.is_ca and SUBJECT_KEY_IDENTIFIER not in subject.extensions:
        found.append(_unenforced(subject, "is an authority's and has no subject key identifier"))
    return found


def _authority(subject: CertificateView, role: Role) -> list[Fault]:
    """Return the faults of the extensions that say whether, and for whom, it may issue certificates."""
    found: list[Fault] = []
    usage = subject.key_usage
    signs = usage is None or bool(usage & KEY_CERT_SIGN)
    if role is Role.LEAF:
        if subject.is_ca and not signs:
            found.append(_unenforced(subject, "is an authority's by its basic constraints and not by its key usage"))
        elif not subject.is_ca and usage is not None and signs:
            found.append(_unenforced(subject, "is an authority's by its key usage and not by its basic constraints"))
        if NAME_CONSTRAINTS in subject.extensions and not subject.is_ca:
            found.append(_unenforced(subject, "has name constraints and is no authority's"))
        return found
    critical = BASIC_CONSTRAINTS not in subject.extensions or subject.extensions[BASIC_CONSTRAINTS][0]
    if not critical and subject.is_ca and not predates_rule(subject, role):
        found.append(_unenforced(subject, "is an authority's and its basic constraints are not critical"))
    limits = constraints(subject)
    if limits is not None and limits.fault is not None:
        found.append(_malformed(subject, f"has name constraints that cannot be applied: {limits.fault}"))
    return found
