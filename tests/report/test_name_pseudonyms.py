"""Pseudonyms of names: what a field calls a name is found in every text, with the names of its domain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.report.name_pseudonyms import NamePseudonyms


def knowing(*hosts: str) -> NamePseudonyms:
    """Pseudonyms in which hosts have the numbers 1, 2, …"""
    names = NamePseudonyms()
    for host in hosts:
        names.host(host)
    return names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("www.shop.example", "name-1.invalid"),
        ("WWW.Shop.Example. is it", "name-1.invalid. is it"),
        ("https://www.shop.example:8443/", "https://name-1.invalid:8443/"),
        ("*.www.shop.example", "*.name-1.invalid"),
        ("api.shop.example", "name-5.invalid"),
        ("www.shop.example.evil.test", "name-5.invalid"),
        ("myshop.example", "myshop.example"),
        ("index.html TLS 1.3", "index.html TLS 1.3"),
        ("printer", "name-2.invalid"),
        ("printers", "printers"),
        ("b\u00fccher.example xn--bcher-kva.example", "name-3.invalid name-3.invalid"),
        ("joe@www.shop.example", "user@name-1.invalid"),
        ("a\\x00b", "name-4.invalid"),
        ("a\0b", "name-4.invalid"),
        ("192.0.2.1", "192.0.2.1"),
        ("\u8bbf\u95eewww.shop.example\u6210\u529f", "\u8bbf\u95eename-1.invalid\u6210\u529f"),
    ],
)
def test_names_in_texts(text: str, expected: str) -> None:
    assert knowing("www.shop.example", "printer", "xn--bcher-kva.example", "a\0b").replace(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CN=www.shop.example", "CN=name-1.invalid"),
        ("CN=Shop CA,O=Shop Ltd,C=AT", "CN=name-1.invalid,O=name-2.invalid,C=AT"),
        ("O=Shop\\, Ltd,CN=x", "O=name-1.invalid,CN=name-2.invalid"),
        ("CN=a+OU=b", "CN=name-1.invalid,OU=name-2.invalid"),
        ("no distinguished name", "name-1.invalid"),
        ("CN=192.0.2.1", "CN=192.0.2.1"),
        ("", ""),
    ],
)
def test_distinguished_names(text: str, expected: str) -> None:
    assert NamePseudonyms().distinguished_name(text) == expected


def test_values_of_distinguished_names_are_found_in_texts() -> None:
    names = NamePseudonyms()
    names.distinguished_name("CN=Shop CA,O=Shop\\, Ltd,L=Linz")
    assert names.replace("no issuer of Shop, Ltd or O=Shop\\, Ltd in linz; a CA") == (
        "no issuer of name-2.invalid or O=name-2.invalid in name-3.invalid; a CA"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("www.shop.example", "name-1.invalid"),
        ("*.shop.example", "*.name-1.invalid"),
        ("email:joe@shop.example", "email:user@name-1.invalid"),
        ("URI:https://shop.example/x", "URI:https://name-1.invalid/x"),
        ("DNS:shop.example", "DNS:name-1.invalid"),
        ("dirName:CN=Shop", "dirName:CN=name-1.invalid"),
        ("joe@shop.example", "user@name-1.invalid"),
        ("IP:192.0.2.1", "IP:192.0.2.1"),
        ("192.0.2.1", "192.0.2.1"),
    ],
)
def test_alternative_names(text: str, expected: str) -> None:
    assert NamePseudonyms().alternative_name(text) == expected


def test_hosts_of_urls_are_learned() -> None:
    names = NamePseudonyms()
    names.learn_urls("see https://joe:x@a.test:1/ and //b.test/ and c.test/ and http://[2001:db8::1]/")
    assert len(names) == 2
    assert names.replace("a.test b.test c.test") == "name-1.invalid name-2.invalid c.test"


def test_pseudonyms_in_a_capture_are_names_too() -> None:
    names = knowing("www.shop.example", "name-1.invalid", "host-1")
    assert names.replace("www.shop.example name-1.invalid") == "name-1.invalid name-2.invalid"


@given(st.text(min_size=1), st.text())
def test_any_name_is_read(name: str, text: str) -> None:
    names = knowing(name)
    assert isinstance(names.replace(text), str)
    assert names.host(name) == names.host(name.upper() if name.upper().lower() == name.lower() else name)
    assert isinstance(names.distinguished_name(text) + names.alternative_name(text), str)
