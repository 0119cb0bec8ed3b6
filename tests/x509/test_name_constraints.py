"""Names that an authority's constraints allow, form by form."""

from ipaddress import ip_address, ip_network

import pytest
from cryptography import x509
from cryptography.x509 import DirectoryName, DNSName, GeneralName, IPAddress, RFC822Name, UniformResourceIdentifier
from cryptography.x509.oid import NameOID
from hierarchy import make, name
from hypothesis import given
from hypothesis import strategies as st

from analyzer.x509.certificate_view import NAME_CONSTRAINTS, CertificateView
from analyzer.x509.name_constraints import COMPARISONS, constraints, name_not_allowed


def _address(text: str) -> IPAddress:
    return IPAddress(ip_network(text) if "/" in text else ip_address(text))


def _authority(permitted: list[GeneralName], excluded: list[GeneralName]) -> CertificateView:
    value = x509.NameConstraints(permitted or None, excluded or None)
    return CertificateView(make("Authority", extensions=[(value, True)]).der)


def _subject(*names: GeneralName, subject: x509.Name | None = None) -> CertificateView:
    extensions = [(x509.SubjectAlternativeName(names), False)] if names else []
    return CertificateView(
        make(None, subject_name=subject or x509.Name([]), issuer_name=name("Authority"), extensions=extensions).der
    )


def _allowed(limits: CertificateView, below: CertificateView) -> bool:
    found = constraints(limits)
    assert found is not None
    assert found.fault is None
    return name_not_allowed(found, below) is None


@pytest.mark.parametrize(
    ("base", "inside", "outside"),
    [
        (DNSName("example.com"), DNSName("example.com"), DNSName("notexample.com")),
        (DNSName("example.com"), DNSName("a.b.EXAMPLE.com"), DNSName("example.com.evil.example")),
        (DNSName("example.com"), DNSName("*.example.com"), DNSName("*.org")),
        (RFC822Name("example.com"), RFC822Name("a@example.com"), RFC822Name("a@host.example.com")),
        (RFC822Name(".example.com"), RFC822Name("a@host.example.com"), RFC822Name("a@example.com")),
        (RFC822Name("a@example.com"), RFC822Name("a@EXAMPLE.com"), RFC822Name("A@example.com")),
        (
            UniformResourceIdentifier("example.com"),
            UniformResourceIdentifier("https://a:b@example.com:8443/x?y#z"),
            UniformResourceIdentifier("https://www.example.com/"),
        ),
        (
            UniformResourceIdentifier(".example.com"),
            UniformResourceIdentifier("spiffe://www.example.com/x"),
            UniformResourceIdentifier("https://example.com/"),
        ),
        (_address("192.0.2.0/24"), _address("192.0.2.255"), _address("192.0.3.0")),
        (_address("2001:db8::/33"), _address("2001:db8::1"), _address("2001:db8:8000::1")),
        (DirectoryName(name("Us")), DirectoryName(name("US")), DirectoryName(name("Them"))),
    ],
    ids=lambda value: str(getattr(value, "value", value)),
)
def test_one_base(base: GeneralName, inside: GeneralName, outside: GeneralName) -> None:
    permits, excludes = _authority([base], []), _authority([], [base])
    assert _allowed(permits, _subject(inside))
    assert not _allowed(permits, _subject(outside))
    assert not _allowed(permits, _subject(inside, outside))
    assert not _allowed(excludes, _subject(inside))
    assert not _allowed(excludes, _subject(outside, inside))
    assert _allowed(excludes, _subject(outside))


def test_what_is_excluded_is_not_permitted() -> None:
    both = _authority([DNSName("example.com")], [DNSName("bad.example.com")])
    assert _allowed(both, _subject(DNSName("good.example.com")))
    assert not _allowed(both, _subject(DNSName("very.bad.example.com")))


def test_a_wildcard_may_stand_for_what_is_excluded() -> None:
    excludes = _authority([], [DNSName("bar.example.com")])
    assert not _allowed(excludes, _subject(DNSName("*.example.com")))
    assert _allowed(excludes, _subject(DNSName("*.example.org")))
    assert not _allowed(_authority([DNSName("foo.example.com")], []), _subject(DNSName("*.example.com")))


def test_names_of_other_forms_are_free() -> None:
    permits = _authority([_address("192.0.2.0/24")], [])
    assert _allowed(permits, _subject(DNSName("example.com")))
    assert not _allowed(permits, _subject(_address("2001:db8::1")))


def test_an_uri_without_a_host_is_not_permitted() -> None:
    permits = _authority([UniformResourceIdentifier("example.com")], [])
    for uri in ("urn:example.com", "https://192.0.2.1/", "https://[2001:db8::1]/", "https:///example.com"):
        assert not _allowed(permits, _subject(UniformResourceIdentifier(uri)))


def test_the_subject_is_a_directory_name_too() -> None:
    us = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Us")])
    desk = x509.Name([*us, x509.NameAttribute(NameOID.COMMON_NAME, "Desk")])
    permits = _authority([DirectoryName(us)], [])
    assert _allowed(permits, _subject(subject=desk))
    assert not _allowed(permits, _subject(subject=name("Them")))
    assert _allowed(permits, _subject(DNSName("example.com")))
    assert not _allowed(_authority([], [DirectoryName(us)]), _subject(subject=desk))


def test_a_mailbox_in_the_subject_counts_where_there_is_no_other() -> None:
    subject = x509.Name([x509.NameAttribute(NameOID.EMAIL_ADDRESS, "a@example.org")])
    permits = _authority([RFC822Name("example.com")], [])
    assert not _allowed(permits, _subject(subject=subject))
    assert _allowed(permits, _subject(RFC822Name("a@example.com"), subject=subject))


def test_unknown_forms_are_refused_if_they_occur() -> None:
    other = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.55738.666.2"), b"\x05\x00")
    excludes = _authority([], [other])
    assert not _allowed(excludes, _subject(other))
    assert _allowed(excludes, _subject(DNSName("example.com")))


def test_what_would_take_too_long_is_refused() -> None:
    n_names = 600
    many: list[GeneralName] = [DNSName(f"h{i}.example") for i in range(n_names)]
    assert n_names**2 > COMPARISONS
    assert not _allowed(_authority([], many), _subject(*[DNSName(f"g{i}.example") for i in range(n_names)]))


def test_what_would_take_too_long_because_it_is_long_is_refused() -> None:
    many: list[GeneralName] = [DNSName(f"h{i}.example") for i in range(200)]
    excludes = _authority([], many)
    assert _allowed(excludes, _subject(DNSName("a" * 10_000)))
    assert not _allowed(excludes, _subject(DNSName("a" * 30_000)))


@pytest.mark.parametrize(
    "value",
    [
        bytes.fromhex("3000"),
        bytes.fromhex("30040500 0500"),
        bytes.fromhex("300ca00a3008820 62e612e636f6d".replace(" ", "")),
        bytes.fromhex("300aa0083006870 47f000001".replace(" ", "")),
        bytes.fromhex("300ea00c300a8708c0000200ff00ff00"),
        b"not DER at all",
        b"",
    ],
)
def test_constraints_with_a_fault(value: bytes) -> None:
    extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(NAME_CONSTRAINTS), value)
    found = constraints(CertificateView(make("Authority", extensions=[(extension, True)]).der))
    assert found is not None
    assert found.fault


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes_have_a_result(value: bytes, names: bytes) -> None:
    limits = x509.UnrecognizedExtension(x509.ObjectIdentifier(NAME_CONSTRAINTS), value)
    found = constraints(CertificateView(make("Authority", extensions=[(limits, True)]).der))
    assert found is not None
    alternative = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), names)
    name_not_allowed(found, CertificateView(make("Subject", extensions=[(alternative, False)]).der))
