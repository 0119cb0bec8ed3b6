"""Long headers, numbers of variable length, and what is cut or of another version."""

import pytest

from analyzer.secrets.quic_versions import HANDSHAKE, INITIAL, RETRY, ZERO_RTT
from analyzer.tls.quic.packet_headers import (
    NEGOTIATION,
    NO_LENGTH,
    OTHER,
    negotiated_versions,
    read_long,
    read_varint,
    varint_length,
)

INITIAL_1 = bytes.fromhex("c0 00000001 08 8394c8f03e515708 02 abcd 03 746f6b 4005 0102030405")


def test_an_initial() -> None:
    header = read_long(b"xx" + INITIAL_1 + b"rest", 2, 2 + len(INITIAL_1) + 4)
    assert header is not None
    assert (header.version, header.type) == (1, INITIAL)
    assert (header.destination.hex(), header.source.hex(), header.token) == ("8394c8f03e515708", "abcd", b"tok")
    assert (header.number_at, header.end) == (2 + len(INITIAL_1) - 5, 2 + len(INITIAL_1))


@pytest.mark.parametrize(
    ("first", "version", "kind"),
    [
        (0xC0, "00000001", INITIAL), (0xD0, "00000001", ZERO_RTT), (0xE0, "00000001", HANDSHAKE), (0xF0, "00000001", RETRY),
        (0xC0, "6b3343cf", RETRY), (0xD0, "6b3343cf", INITIAL), (0xE0, "6b3343cf", ZERO_RTT), (0xF0, "6b3343cf", HANDSHAKE),
        (0xC0, "ff00001d", INITIAL), (0x80, "00000000", NEGOTIATION), (0xC0, "51303436", OTHER),
    ],
)  # fmt: skip
def test_types_of_all_versions(first: int, version: str, kind: int) -> None:
    header = read_long(bytes([first]) + bytes.fromhex(version + "01aa01bb00") + bytes(30), 0, 39)
    assert header is not None
    assert header.type == kind


def test_every_truncation() -> None:
    for n_bytes in range(len(INITIAL_1) - 5):
        assert read_long(INITIAL_1[:n_bytes], 0, n_bytes) is None
    for n_bytes in range(len(INITIAL_1) - 5, len(INITIAL_1)):
        header = read_long(INITIAL_1[:n_bytes], 0, n_bytes)
        assert header is not None
        assert header.end == len(INITIAL_1)


def test_ids_longer_than_the_version_allows() -> None:
    assert read_long(b"\xc0\0\0\0\1" + b"\x15" + bytes(60), 0, 66) is None
    header = read_long(b"\xc0\xff\xff\xff\xff" + b"\x15" + bytes(60), 0, 66)
    assert header is not None
    assert header.type == OTHER


def test_numbers_of_rfc_9000_appendix_a() -> None:
    for text, value in (
        ("c2197c5eff14e88c", 151288809941952652),
        ("9d7f3e7d", 494878333),
        ("7bbd", 15293),
        ("25", 37),
        ("4025", 37),
    ):
        data = bytes.fromhex(text)
        assert read_varint(data, 0, len(data)) == value
        assert varint_length(data, 0, len(data)) == len(data)
        for n_bytes in range(len(data)):
            assert read_varint(data, 0, n_bytes) == NO_LENGTH


def test_the_versions_of_a_negotiation() -> None:
    data = bytes.fromhex("80 00000000 01 aa 01 bb 00000001 6b3343cf 0a0a0a0a ff")
    header = read_long(data, 0, len(data))
    assert header is not None
    assert negotiated_versions(data, header) == [1, 0x6B3343CF, 0x0A0A0A0A]
