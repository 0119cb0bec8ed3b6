"""RC4 and NULL ciphers: the place in the key stream, and what becomes of it."""

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
from cryptography.hazmat.primitives.ciphers import Cipher

from analyzer.secrets.mac import RecordMac
from analyzer.secrets.protection import open_tls12
from analyzer.secrets.refused import Refused
from analyzer.secrets.schedule import key_block
from analyzer.tls.suites import suite

MASTER, CLIENT, SERVER = bytes(48), bytes(range(32)), bytes(range(32, 64))


@pytest.fixture
def opener():
    return open_tls12(suite(0x0004), 0x0303, MASTER, CLIENT, SERVER)[0]


@pytest.fixture
def records():
    """Ten records, as (content type, version, body)."""
    block = key_block(0x0303, "SHA256", MASTER, CLIENT, SERVER, 64)
    mac, stream = RecordMac(0x0303, "MD5", block[:16]), Cipher(ARC4(block[32:48]), None).encryptor()
    plain = [b"record %d" % number for number in range(10)]
    return [(23, 0x0303, stream.update(text + mac.compute(number, 23, 0x0303, text))) for number, text in enumerate(plain)]


def test_in_order(opener, records):
    assert [opener.open(*record)[1] for record in records] == [b"record %d" % number for number in range(10)]


def test_after_missing_bytes_nothing_opens_and_it_says_why(opener, records):
    opener.open(*records[0])
    for record in records[3:]:
        with pytest.raises(Refused, match="missing_segment: the place in RC4's key stream"):
            opener.open_ahead(*record, 20)
    assert opener.sequence == 1


def test_a_changed_record_costs_itself(opener, records):
    opener.open(*records[0])
    content_type, version, body = records[1]
    changed = bytes([body[0] ^ 1]) + body[1:]
    for _ in range(3):
        with pytest.raises(Refused, match="wrong_secret"):
            opener.open(content_type, version, changed)
    assert opener.open_ahead(*records[2], 3) == (1, 23, b"record 2")
    assert opener.open(*records[3]) == (23, b"record 3")


def test_too_short_for_a_mac_takes_nothing_of_the_key_stream(opener, records):
    with pytest.raises(Refused, match="malformed"):
        opener.open(23, 0x0303, bytes(15))
    with pytest.raises(Refused, match="malformed"):
        opener.open_ahead(23, 0x0303, bytes(15), 3)
    assert opener.open(*records[0]) == (23, b"record 0")
