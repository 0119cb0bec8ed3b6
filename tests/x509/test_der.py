"""All forms of tag and length, and invalid lengths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.codec.errors import Malformed
from analyzer.x509.der import (
    DEPTH,
    INDEFINITE_ELEMENTS,
    OBJECT_IDENTIFIER_LENGTH,
    SEQUENCE,
    encode_object_identifier,
    expect,
    object_identifier,
    read_element,
)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("020105", "05"),
        ("0500", ""),
        ("028101" + "05", "05"),
        ("02820001" + "05", "05"),
        ("028a0000000000000000000105", "05"),
        ("0281ff" + "11" * 255, "11" * 255),
        ("9f8101" + "0105", "05"),
        ("bf1f" + "03020105", "020105"),
        ("3080" + "020105" + "0000", "020105"),
        ("3080" + "3080" + "020105" + "0000" + "0500" + "0000", "3080" + "020105" + "0000" + "0500"),
        ("3080" + "bf8101" + "80" + "020105" + "0000" + "0000", "bf8101" + "80" + "020105" + "0000"),
    ],
)
def test_forms_of_length(data: str, value: str) -> None:
    octets = bytes.fromhex("ffff" + data + "aaaa")
    tag, start, end, after = read_element(octets, 2, len(octets), "value")
    assert tag == octets[2]
    assert octets[start:end].hex() == value
    assert octets[after:] == b"\xaa\xaa"
    assert expect(octets, 2, len(octets), tag, "value") == (tag, start, end, after)
    # Bounds that end before the element does are respected, wherever they are.
    for end in range(2, len(octets) - 2):
        with pytest.raises(Malformed):
            read_element(octets, 2, end, "value")
        with pytest.raises(Malformed):
            expect(octets, 2, end, tag, "value")


@pytest.mark.parametrize(
    "data",
    [
        "",
        "02",
        "0202" + "05",
        "0281",
        "0282ff" + "00" * 10,
        "02ff" + "00" * 126,
        "0284ffffffff" + "00",
        "0288ffffffffffffffff" + "00",
        "0280" + "05" + "0000",
        "3080" + "020105",
        "3080" + "020105" + "00",
        "1f" + "81" * 40,
        "1f01",
    ],
)
def test_wrong_lengths_are_malformed(data: str) -> None:
    octets = bytes.fromhex(data)
    with pytest.raises(Malformed) as caught:
        read_element(octets, 0, len(octets), "value")
    assert caught.value.field == "value"
    assert 0 <= caught.value.offset <= len(octets)


def test_indefinite_lengths_are_bounded() -> None:
    def nested(n: int) -> bytes:
        return b"\x30\x80" * n + b"\0\0" * n

    data = nested(DEPTH)
    assert read_element(data, 0, len(data), "value")[3] == len(data)
    data = nested(DEPTH + 1)
    with pytest.raises(Malformed):
        read_element(data, 0, len(data), "value")
    data = b"\x30\x80" + b"\x05\x00" * INDEFINITE_ELEMENTS + b"\0\0"
    with pytest.raises(Malformed):
        read_element(data, 0, len(data), "value")


def test_expect_names_both_tags() -> None:
    with pytest.raises(Malformed, match="tag 0x02, not 0x30"):
        expect(b"\x02\x01\x05", 0, 3, SEQUENCE, "value")


@pytest.mark.parametrize(
    ("dotted", "octets"),
    [
        ("1.2.840.113549.1.1.11", "2a864886f70d01010b"),
        ("2.5.4.3", "550403"),
        ("0.9.2342.19200300.100.1.25", "0992268993f22c640119"),
        ("2.999.3", "883703"),
        ("1.39", "4f"),
        ("0.0", "00"),
    ],
)
def test_object_identifiers(dotted: str, octets: str) -> None:
    assert object_identifier(bytes.fromhex(octets)) == dotted
    assert encode_object_identifier(dotted).hex() == octets


@pytest.mark.parametrize("octets", [b"", b"\x80", b"\x2a\x86", b"\x2a" * (OBJECT_IDENTIFIER_LENGTH + 1)])
def test_no_object_identifier(octets: bytes) -> None:
    with pytest.raises(ValueError, match="no object identifier"):
        object_identifier(octets)


@given(st.binary(max_size=80), st.integers(0, 80), st.integers(0, 80))
def test_any_octets_give_an_element_within_bounds_or_malformed(data: bytes, pos: int, end: int) -> None:
    end = min(end, len(data))
    try:
        _, start, stop, after = read_element(data, pos, end, "value")
    except Malformed:
        return
    assert pos < start <= stop <= after <= end
