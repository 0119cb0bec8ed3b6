"""Names, compared with the names that certificates present, by the rules of RFC 9525."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.x509.host_name import DNS_NAME, IP_ADDRESS, checkable, describe, matches, name_fault, reference


def _dns(*names: str) -> list[tuple[int, bytes]]:
    return [(DNS_NAME, name.encode()) for name in names]


@pytest.mark.parametrize(
    ("name", "presented"),
    [
        ("example.com", "example.com"),
        ("EXAMPLE.com", "example.COM"),
        ("example.com.", "example.com"),
        ("www.example.com", "*.example.com"),
        ("xn--bcher-kva.example.com", "*.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("a_b.example.com", "*.example.com"),
        ("localhost", "localhost"),
    ],
)
def test_names_that_match(name: str, presented: str) -> None:
    assert matches(name, _dns("other.example", presented))


@pytest.mark.parametrize(
    ("name", "presented"),
    [
        ("example.com", "*.example.com"),
        ("a.b.example.com", "*.example.com"),
        ("www.example.com", "w*.example.com"),
        ("www.example.com", "*w.example.com"),
        ("www.example.com", "www.*.com"),
        ("www.example.com", "*.*.com"),
        ("example.com", "*.com"),
        ("com", "*"),
        ("example.com", ".com"),
        ("www.example.com", ".example.com"),
        ("example.com", "example.com\0.evil.example"),
        ("example.com", "example.org"),
        ("bücher.example", "bücher.example"),
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1", "*.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("", ""),
        ("*.example.com", "*.example.com"),
        ("a" * 64 + ".example", "a" * 64 + ".example"),
    ],
)
def test_names_that_do_not_match(name: str, presented: str) -> None:
    assert not matches(name, _dns(presented))


@pytest.mark.parametrize("name", ["192.0.2.1", "2001:db8::1", "2001:0DB8:0::1", "[2001:db8::1]", "2001:db8::1%eth0"])
def test_addresses_are_compared_octet_by_octet(name: str) -> None:
    v4, v6 = (IP_ADDRESS, ip_address("192.0.2.1").packed), (IP_ADDRESS, ip_address("2001:db8::1").packed)
    assert matches(name, [v4, v6])
    assert not matches(name, [v4 if ":" in name else v6])
    assert not matches(name, [(IP_ADDRESS, b"\xc0\0\2"), (DNS_NAME, b"\xc0\0\2\1")])


@given(st.text(max_size=600), st.binary(max_size=80))
def test_any_name_has_a_result(name: str, presented: bytes) -> None:
    matches(name, [(DNS_NAME, presented), (IP_ADDRESS, presented)])
    found = reference(name)
    assert found is None or found[0] in (DNS_NAME, IP_ADDRESS)


@pytest.mark.parametrize("name", [b"a_b.example", b".example", b"a..b", b"8.8.8.8", b"ba*.example", b"*", "ü.example".encode()])
def test_dns_names_with_a_fault(name: bytes) -> None:
    assert name_fault(DNS_NAME, name)


@pytest.mark.parametrize("name", [b"example.com", b"*.example.com", b"xn--bcher-kva.example", b"localhost", b"1.example"])
def test_dns_names_without_a_fault(name: bytes) -> None:
    assert name_fault(DNS_NAME, name) is None


def test_mailboxes() -> None:
    assert name_fault(0x81, b"a@example.com") is None
    assert all(name_fault(0x81, value) for value in (b"a@b@example.com", b"a", b"@example.com", b"a@"))


def test_names_in_a_sentence_are_few() -> None:
    assert describe(_dns(*(f"h{i}.example" for i in range(7)))) == (
        "h0.example, h1.example, h2.example, h3.example, h4.example and 2 more"
    )
    assert describe([(IP_ADDRESS, bytes((192, 0, 2, 1))), (0x86, b"urn:x")]) == "192.0.2.1"


def test_only_hosts_can_be_checked() -> None:
    assert not checkable(None)
    assert not checkable([(0x81, b"a@example.com")])
    assert checkable(_dns("example.com"))
