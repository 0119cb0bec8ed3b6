"""Distinguished and general names, against RFC 4514's rules and against `cryptography`."""

import warnings

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from analyzer.codec.errors import Malformed
from analyzer.x509.der import encode_object_identifier, read_element
from analyzer.x509.name_text import ATTRIBUTES, distinguished_name, general_name


def tlv(tag: int, *values: bytes) -> bytes:
    value = b"".join(values)
    n = len(value)
    length = bytes([n]) if n < 0x80 else bytes([0x82]) + n.to_bytes(2, "big")
    return bytes([tag]) + length + value


def attribute(value: bytes, dotted: str = "2.5.4.3") -> bytes:
    return tlv(0x30, tlv(0x06, encode_object_identifier(dotted)), value)


def text_of(*sets: bytes) -> str:
    data = b"".join(sets)
    return distinguished_name(b"\xff" + data + b"\xff", 1, 1 + len(data), "subject")


def general(data: bytes) -> str:
    return general_name(data, read_element(data, 0, len(data), "subjectAltName"), "subjectAltName")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (tlv(0x0C, "Jürgen".encode()), "Jürgen"),
        (tlv(0x13, b"plain"), "plain"),
        (tlv(0x13, "Jürgen".encode("latin-1")), "Jürgen"),
        (tlv(0x14, "Jürgen".encode("latin-1")), "Jürgen"),
        (tlv(0x1E, "Jürgen €".encode("utf-16-be")), "Jürgen €"),
        (tlv(0x1E, b"\xd8\x00\x00A"), "\ufffdA"),
        (tlv(0x1E, b"\x00A\x00"), "A\ufffd"),
        (tlv(0x1C, "\U0001f600".encode("utf-32-be")), "\U0001f600"),
        (tlv(0x0C), ""),
        (tlv(0x0C, b'a,b+c"d\\e<f>g;h=i'), r"a\,b\+c\"d\\e\<f\>g\;h=i"),
        (tlv(0x0C, b"#hex"), r"\#hex"),
        (tlv(0x0C, b"a#"), "a#"),
        (tlv(0x0C, b" both "), r"\ both\ "),
        (tlv(0x0C, b" "), r"\ "),
        (tlv(0x0C, b"nul\0"), r"nul\00"),
        (tlv(0x0C, b"line\n"), "line\n"),
        (tlv(0x02, b"\x05"), "#020105"),
        (tlv(0x04, b"\xab"), "#0401ab"),
    ],
)
def test_values(value: bytes, text: str) -> None:
    assert text_of(tlv(0x31, attribute(value))) == f"CN={text}"


def test_order_and_types() -> None:
    name = (
        tlv(0x31, attribute(tlv(0x13, b"DE"), "2.5.4.6")),
        tlv(0x31, attribute(tlv(0x13, b"a"), "2.5.4.11"), attribute(tlv(0x13, b"b"), "2.5.4.5")),
        tlv(0x31, attribute(tlv(0x16, b"x@example.com"), "1.2.840.113549.1.9.1")),
    )
    assert text_of(*name) == "1.2.840.113549.1.9.1=x@example.com,OU=a+2.5.4.5=b,C=DE"
    assert text_of() == ""


def test_too_many_attributes() -> None:
    one = tlv(0x31, attribute(tlv(0x13, b"x")))
    assert text_of(one * ATTRIBUTES).count("CN=x") == ATTRIBUTES
    with pytest.raises(Malformed, match="over"):
        text_of(one * (ATTRIBUTES + 1))
    with pytest.raises(Malformed, match="over"):
        text_of(tlv(0x31) * (ATTRIBUTES + 1))
    with pytest.raises(Malformed, match="over"):
        text_of(tlv(0x31, attribute(tlv(0x13)) * (ATTRIBUTES + 1)))


TYPES = [NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.DOMAIN_COMPONENT, NameOID.USER_ID, NameOID.STREET_ADDRESS]
TYPES += [NameOID.LOCALITY_NAME, NameOID.STATE_OR_PROVINCE_NAME, NameOID.EMAIL_ADDRESS, NameOID.SERIAL_NUMBER]
ATTRIBUTE = st.builds(
    x509.NameAttribute,
    st.sampled_from(TYPES),
    st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('\\"+,;<># \0='), min_size=1, max_size=12),
    st.just(x509.name._ASN1Type.UTF8String),
)
RDN = st.lists(ATTRIBUTE, min_size=1, max_size=3, unique_by=lambda one: one.oid).map(x509.RelativeDistinguishedName)


@given(st.lists(RDN, max_size=5).map(x509.Name))
def test_agrees_with_cryptography(name: x509.Name) -> None:
    data = name.public_bytes()
    _, start, end, _ = read_element(data, 0, len(data), "subject")
    with warnings.catch_warnings(action="ignore"):
        expected = x509.Name.from_bytes(data).rfc4514_string()  # DER sorts the attributes of a set
    assert distinguished_name(data, start, end, "subject") == expected


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (tlv(0x82, b"www.example.com"), "www.example.com"),
        (tlv(0x82, b"*.example.com"), "*.example.com"),
        (tlv(0x82, b"host1"), "host1"),
        (tlv(0x82, "müller.example".encode()), "müller.example"),
        (tlv(0x82, b"192.0.2.1"), "DNS:192.0.2.1"),
        (tlv(0x82, b"2001:db8::1"), "DNS:2001:db8::1"),
        (tlv(0x82, b"email:x@example.com"), "DNS:email:x@example.com"),
        (tlv(0x87, b"\xc0\x00\x02\x01"), "192.0.2.1"),
        (tlv(0x87, bytes.fromhex("20010db8000000000000000000000001")), "2001:db8::1"),
        (tlv(0x81, b"x@example.com"), "email:x@example.com"),
        (tlv(0x86, b"https://example.com/"), "URI:https://example.com/"),
        (tlv(0x88, b"\x55\x04\x03"), "RID:2.5.4.3"),
        (tlv(0xA4, tlv(0x30, tlv(0x31, attribute(tlv(0x13, b"x,y"))))), r"dirName:CN=x\,y"),
        (tlv(0xA0, tlv(0x06, b"\x55\x04\x03"), tlv(0xA0, tlv(0x05))), "otherName:2.5.4.3"),
        (tlv(0xA5, b"\x01"), "0xa5:01"),
    ],
)
def test_general_names(data: bytes, text: str) -> None:
    assert general(data) == text


@pytest.mark.parametrize("data", [tlv(0x87), tlv(0x87, b"12345678"), tlv(0x88), tlv(0xA4, b"1"), tlv(0xA0, b"\x06\x05\x01")])
def test_unreadable_general_names(data: bytes) -> None:
    with pytest.raises(Malformed):
        general(data)
