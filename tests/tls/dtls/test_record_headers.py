"""Headers of records in datagrams: plain ones, with connection IDs, the unified header, and the test that finds DTLS."""

import pytest

from analyzer.tls.dtls.record_headers import ACK, TLS12_CID, UNIFIED, begins_dtls, read_record
from analyzer.tls.record.content_types import APPLICATION_DATA, HANDSHAKE
from analyzer.tls.record.record import Record

HELLO = bytes.fromhex("16feff 0000 000000000000 0037 01 00002b 0000 000000 00002b feff") + bytes(41)


def read(data: bytes, id_length: int = 0, missing: int = 0, start: int = 0) -> tuple[Record, int]:
    record = Record(0)
    return record, read_record(record, data, start, len(data), id_length, missing)


def test_a_plain_header():
    record, end = read(b"before" + bytes.fromhex("17fefd 0001 000000000203 0002 abcd 15"), start=6)
    assert (record.content_type, record.version, record.epoch, record.offset) == (APPLICATION_DATA, 0xFEFD, 1, 0x203)
    assert (record.header, record.length, record.missing, end) == (13, 2, 0, 21)
    assert record.body[record.header :] == b"\xab\xcd"


def test_a_connection_id():
    data = bytes.fromhex("19fefd 0001 000000000001 c1d2 0003 aabbcc 17")
    record, end = read(data, id_length=2)
    assert (record.content_type, record.header, record.length, end) == (TLS12_CID, 15, 3, len(data) - 1)
    record, end = read(data, id_length=-1)  # nobody knows where its length stands
    assert end == len(data)


@pytest.mark.parametrize(
    ("text", "id_length", "epoch", "number", "header", "length"),
    [
        ("20 07 aabbcc", 0, 0, 7, 2, 3),
        ("2e 0102 0003 aabbcc", 0, 2, 0x102, 5, 3),
        ("37 c1d2 07 0003 aabbcc", 2, 3, 7, 6, 3),
        ("3b c1d2 0708 aabbcc", 2, 3, 0x708, 5, 3),
    ],
)
def test_unified_headers(text, id_length, epoch, number, header, length):
    data = bytes.fromhex(text)
    record, end = read(data, id_length)
    assert (record.version, record.content_type, end) == (UNIFIED, APPLICATION_DATA, len(data))
    assert (record.epoch, record.offset, record.header, record.length) == (epoch, number, header, length)
    assert record.body == data


def test_what_is_cut_and_what_is_false():
    data = bytes.fromhex("16fefd 0000 000000000000 0064") + bytes(20)
    assert read(data)[1] == -1
    record, end = read(data, missing=80)
    assert (record.length, record.missing, end) == (100, 80, len(data))
    for wrong in (b"", b"\x16", bytes(13), bytes.fromhex("16 0303 0000 000000000000 0000"), b"\x2e\1\2\xff\xff" + bytes(9)):
        assert read(wrong)[1] == -1
    assert read(bytes([ACK]) + bytes.fromhex("fefd 0000 000000000000 0000"))[1] == 13


def test_every_byte_of_the_headers_counts():
    assert begins_dtls(HELLO, 0, len(HELLO))
    assert HELLO[0] == HANDSHAKE
    for place in (0, 1, 3, 4, 13, 19, 20, 21, 22, 23, 25):
        changed = bytearray(HELLO)
        changed[place] ^= 0x80
        assert not begins_dtls(bytes(changed), 0, len(changed)), place
    for end in range(25):
        assert not begins_dtls(HELLO, 0, end)
