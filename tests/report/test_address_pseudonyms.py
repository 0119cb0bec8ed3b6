"""Pseudonyms of addresses: one for each address, whatever its spelling, and none for what is no address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.report.address_pseudonyms import AddressPseudonyms


@pytest.mark.parametrize(
    "text",
    [
        "1.2.840.113549.1.1.11", "TLS 1.3", "256.1.1.1", "12:34:56", "2026-11-02T09:00:00.000000000Z", "v3.0.2", "a::b::c",
        "ab:cd:ef:01:23:45:67:89:ab:cd:ef:01:23:45:67:89:ab:cd:ef:01", "curl/7.88.1", "1.2.3", "std::vector", "cb007101",
        "::", "203-0-113-1", "x:y", "0:1",
    ],
)  # fmt: skip
def test_no_address(text: str) -> None:
    assert AddressPseudonyms().replace(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", "host-1"),
        ("192.0.2.1:443 and 192.000.002.001.", "host-1:443 and host-1."),
        ("2001:db8::1, 2001:DB8:0:0:0:0:0:1, [2001:0db8::0001]:443", "host-1, host-1, [host-1]:443"),
        ("::ffff:192.0.2.1 is 192.0.2.1", "host-1 is host-1"),
        ("fe80::1%eth0", "host-1%eth0"),
        ("from 2001:db8::1: refused", "from host-1: refused"),
        ("client:192.0.2.1", "client:host-1"),
        ("0:0:1:::443", "host-1:443"),
        ("2001:1000:1000:1000:1000:1000:1000:1000:65535", "host-1:65535"),
        ("00:1a:2B:3c:4d:5e 00-1A-2B-3C-4D-5E 001a.2b3c.4d5e", "host-1 host-1 host-1"),
        ("192.0.2.1 1.2.0.192.in-addr.arpa", "host-1 host-1.in-addr.arpa"),
        ("192.0.2.1 ip-192-0-2-1.internal", "host-1 ip-host-1.internal"),
        ("192.0.2.1 c0000201 0xC0000201", "host-1 host-1 host-1"),
        ("2001:db8::1 " + ".".join("1" + "0" * 23 + "8bd01002") + ".ip6.arpa", "host-1 host-1.ip6.arpa"),
        ("192.0.2.2 192.0.2.1 192.0.2.2", "host-1 host-2 host-1"),
        ("2.5.29.17", "host-1"),
    ],
)
def test_spellings(text: str, expected: str) -> None:
    assert AddressPseudonyms().replace(text) == expected


def test_object_identifiers_of_certificates_stay() -> None:
    known = AddressPseudonyms()
    assert known.replace("extension 2.5.29.17 of 192.0.2.1", about_certificates=True) == "extension 2.5.29.17 of host-1"
    known.pseudonym("2.5.29.17")
    assert known.replace("extension 2.5.29.17", about_certificates=True) == "extension host-2"


@given(st.ip_addresses())
def test_each_address_has_one(address: object) -> None:
    known = AddressPseudonyms()
    text = str(address)
    assert known.pseudonym(text) == "host-1"
    assert len(known) == 1
    if text != "::":
        assert known.replace(f"<{text}>") == "<host-1>"


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    known = AddressPseudonyms()
    changed = known.replace(text)
    assert (changed == text) == (len(known) == 0)
