"""Certificates with faults by themselves, in each role in a path."""

from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID, ObjectIdentifier
from hierarchy import HOST, Made, ec_key, hosts, make_intermediate, make_leaf, make_root, name, patched, tagged, usage
from hypothesis import given
from hypothesis import strategies as st

from analyzer.x509.certificate_view import CertificateView
from analyzer.x509.profile_rules import Role, faults

ROOT = make_root()
IDENTIFIER = x509.AuthorityKeyIdentifier.from_issuer_public_key(ROOT.key.public_key())
WITH_ISSUER = x509.AuthorityKeyIdentifier(IDENTIFIER.key_identifier, [x509.DirectoryName(name("Root"))], 1)
POINT = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://ocsp.example"))


def _codes(made: Made | bytes, role: Role, *, server: bool = True) -> list[str]:
    der = made if isinstance(made, bytes) else made.der
    return [code for code, _ in faults(CertificateView(der), role, server=server)]


def _leaf(value: x509.ExtensionType, critical: bool = False, **more: Any) -> Made:
    return make_leaf(ROOT, changed={type(value): (value, critical)}, **more)


def _authority(value: x509.ExtensionType, critical: bool = False, **more: Any) -> Made:
    return make_intermediate(ROOT, changed={type(value): (value, critical)}, **more)


def _unknown(kind: str, value: bytes, critical: bool) -> dict[type[x509.ExtensionType], tuple[x509.ExtensionType, bool]]:
    return {x509.UnrecognizedExtension: (x509.UnrecognizedExtension(ObjectIdentifier(kind), value), critical)}


def test_the_good_ones_have_no_fault() -> None:
    assert _codes(ROOT, Role.ROOT) == []
    assert _codes(make_intermediate(ROOT), Role.AUTHORITY) == []
    assert _codes(make_leaf(ROOT), Role.LEAF) == []


FAULTY_LEAVES = {
    "critical authority key identifier": lambda: _leaf(IDENTIFIER, True),
    "critical subject key identifier": lambda: _leaf(x509.SubjectKeyIdentifier(b"x"), True),
    "critical access to information": lambda: _leaf(x509.AuthorityInformationAccess([POINT]), True),
    "authority key identifier without a key": lambda: _leaf(
        x509.AuthorityKeyIdentifier(None, [x509.DirectoryName(name("Root"))], 1)
    ),
    "no purpose": lambda: make_leaf(ROOT, changed={x509.ExtendedKeyUsage: None, **_unknown("2.5.29.37", b"\x30\x00", False)}),
    "name constraints": lambda: _leaf(x509.NameConstraints([x509.DNSName("example.com")], None), True),
    "policy constraints that are not critical": lambda: _leaf(x509.PolicyConstraints(0, None), False),
    "critical alternative names beside a subject": lambda: _leaf(hosts(HOST), True),
    "alternative names that are not critical without a subject": lambda: _leaf(
        hosts(HOST), False, subject_name=x509.Name([]), key=ec_key("x")
    ),
    "signs, by its key usage": lambda: _leaf(usage("digital_signature", "key_cert_sign"), True),
    "authority, by its basic constraints": lambda: _leaf(x509.BasicConstraints(True, None), True),
    "no DER among the alternative names": lambda: make_leaf(
        ROOT, changed={x509.SubjectAlternativeName: None, **_unknown("2.5.29.17", b"host.example.com", False)}
    ),
    "no alternative name": lambda: make_leaf(
        ROOT, changed={x509.SubjectAlternativeName: None, **_unknown("2.5.29.17", b"\x30\x00", False)}
    ),
    "empty issuer": lambda: make_leaf(ROOT, issuer_name=x509.Name([])),
    "common name that is an address": lambda: _leaf(
        x509.SubjectAlternativeName([x509.IPAddress(ip_address("192.0.2.1"))]), subject="192.0.2.2"
    ),
}


REFUSED_BY_ALL = ("no purpose", "no DER among the alternative names", "constraint that begins with a dot")
"""Faults that every verifier refuses; rules that some do not enforce are `non_conforming`."""


@pytest.mark.parametrize("case", FAULTY_LEAVES)
def test_leaves_with_a_fault(case: str) -> None:
    expected = "malformed" if case in REFUSED_BY_ALL else "non_conforming"
    assert _codes(FAULTY_LEAVES[case](), Role.LEAF) == [expected]


FAULTY_AUTHORITIES = {
    "no subject key identifier": lambda: make_intermediate(ROOT, changed={x509.SubjectKeyIdentifier: None}),
    "no authority key identifier": lambda: make_intermediate(ROOT, changed={x509.AuthorityKeyIdentifier: None}),
    "basic constraints that are not critical": lambda: _authority(x509.BasicConstraints(True, None), False),
    "no subject": lambda: make_intermediate(ROOT, None),
    "constraint that begins with a dot": lambda: _authority(x509.NameConstraints([x509.DNSName(".example.com")], None), True),
}


@pytest.mark.parametrize("case", FAULTY_AUTHORITIES)
def test_authorities_with_a_fault(case: str) -> None:
    expected = "malformed" if case in REFUSED_BY_ALL else "non_conforming"
    assert _codes(FAULTY_AUTHORITIES[case](), Role.AUTHORITY) == [expected]


@pytest.mark.parametrize("value", [WITH_ISSUER, x509.AuthorityKeyIdentifier(b"another", None, None)])
def test_the_profile_applies_to_roots_by_their_date(value: x509.AuthorityKeyIdentifier) -> None:
    changed = {x509.AuthorityKeyIdentifier: (value, False)}
    for year, expected in ((1995, ["non_conforming"]), (1996, []), (2022, []), (2024, ["non_conforming"])):
        root = make_root(changed=changed, not_before=datetime(year, 1, 1, tzinfo=UTC))
        assert _codes(root, Role.ROOT) == expected
    assert _codes(_leaf(WITH_ISSUER), Role.LEAF) == []


def test_a_certificate_that_predates_the_profile_is_exempt() -> None:
    for year, expected in ((2011, []), (2013, ["non_conforming"])):
        old = {"not_before": datetime(year, 1, 1, tzinfo=UTC)}
        bare = make_intermediate(ROOT, changed={x509.AuthorityKeyIdentifier: None}, **old)
        assert _codes(bare, Role.AUTHORITY) == expected
        assert _codes(make_leaf(ROOT, changed={x509.AuthorityKeyIdentifier: None}, **old), Role.LEAF) == expected
        assert _codes(_authority(x509.BasicConstraints(True, None), False, **old), Role.AUTHORITY) == expected


def test_serial_numbers() -> None:
    number = bytes.fromhex("1122334455667788")
    leaf = make_leaf(ROOT, serial=int.from_bytes(number, "big"))
    for other, expected in (
        (b"\0" * 8, ["non_conforming", "malformed"]),
        (b"\xff" + number[1:], ["non_conforming"]),
        (b"\1" * 8, []),
    ):
        assert _codes(patched(leaf.der, ROOT.key, [(number, other)]), Role.LEAF) == expected
    root = make_root(serial=int.from_bytes(number, "big"))
    element = b"\x02\x08" + number
    assert _codes(patched(root.der, ROOT.key, [(element, b"\x02\x01\x00")]), Role.ROOT) == []
    assert _codes(patched(leaf.der, ROOT.key, [(element, b"\x02\x01\x00")]), Role.LEAF) == ["non_conforming"]
    assert _codes(patched(leaf.der, ROOT.key, [(element, b"\x02\x15" + b"\x01" * 21)]), Role.LEAF) == ["non_conforming"]
    assert _codes(patched(leaf.der, ROOT.key, [(element, b"\x02\x14" + b"\x01" * 20)]), Role.LEAF) == []


def test_two_signature_algorithms() -> None:
    leaf = make_leaf(ROOT)
    ecdsa256, ecdsa384 = bytes.fromhex("2a8648ce3d040302"), bytes.fromhex("2a8648ce3d040303")
    head, _, tail = leaf.der.rpartition(ecdsa256)
    assert _codes(head + ecdsa384 + tail, Role.LEAF) == ["malformed"]


def test_what_only_strict_parsers_refuse() -> None:
    leaf = make_leaf(ROOT, subject="Muller")
    for tag, octets, expected in (
        (0x14, b"M\xfcller", "non_conforming"),
        (0x16, b"M\xfcller", "non_conforming"),
        (0x0C, b"M\xfcller", "malformed"),
        (0x1E, b"\0M\xd8\0\0u", "malformed"),
    ):
        other = patched(leaf.der, ROOT.key, [(tagged(0x0C, b"Muller"), tagged(tag, octets))])
        assert _codes(other, Role.LEAF) == [expected]
    ecdsa = tagged(6, bytes.fromhex("2a8648ce3d040302"))
    for parameters, expected in ((b"\5\0", "non_conforming"), (b"\4\0", "malformed"), (b"\5\0\5\0", "malformed")):
        other = patched(leaf.der, ROOT.key, [(tagged(0x30, ecdsa), tagged(0x30, ecdsa + parameters))])
        assert _codes(other, Role.LEAF) == [expected]


def test_a_repeated_extension() -> None:
    value = bytes.fromhex("0500")
    kinds = ("1.3.6.1.4.1.55738.666.1", "1.3.6.1.4.1.55738.666.2")
    octets = [x509.UnrecognizedExtension(ObjectIdentifier(kind), value) for kind in kinds]
    builder_leaf = make_leaf(ROOT, extra=octets)
    first, second = (bytes.fromhex("2b0601040183b33a851a") + bytes((last,)) for last in (1, 2))
    assert _codes(builder_leaf, Role.LEAF) == []
    assert _codes(patched(builder_leaf.der, ROOT.key, [(second, first)]), Role.LEAF) == ["malformed"]


def test_a_precertificate_is_no_certificate() -> None:
    leaf = make_leaf(ROOT, changed={x509.PrecertPoison: (x509.PrecertPoison(), True)})
    assert _codes(leaf, Role.LEAF) == ["unknown_critical_extension"]


def test_common_names_are_checked_for_servers_only() -> None:
    leaf = make_leaf(ROOT, subject="other.example.net")
    assert _codes(leaf, Role.LEAF) == ["non_conforming"]
    assert _codes(leaf, Role.LEAF, server=False) == []
    assert _codes(make_leaf(ROOT, subject="example.com"), Role.LEAF) == []


def test_the_number_of_reported_faulty_names_is_bounded() -> None:
    many = [x509.DNSName(f"a_{i}.example") for i in range(1000)]
    leaf = make_leaf(
        ROOT, subject="A server", changed={x509.SubjectAlternativeName: (x509.SubjectAlternativeName(many), False)}
    )
    assert 1 < len(_codes(leaf, Role.LEAF)) < 20


def test_long_subjects_are_shortened_in_sentences() -> None:
    parts = [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "u" * 60) for _ in range(50)]
    leaf = make_leaf(ROOT, subject_name=x509.Name(parts), key=ec_key("x"), changed={x509.AuthorityKeyIdentifier: None})
    ((_, sentence),) = faults(CertificateView(leaf.der), Role.LEAF, server=True)
    assert len(sentence) < 300


@given(st.binary(max_size=300), st.sampled_from(list(Role)))
def test_any_bytes_are_malformed(der: bytes, role: Role) -> None:
    assert "malformed" in _codes(der, role)
