"""RC4 and NULL ciphers: the position in the key stream, and when it is lost."""

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
from cryptography.hazmat.primitives.ciphers import Cipher

from analyzer.secrets.decryption_error import DecryptionError
from analyzer.secrets.key_schedule import key_block
from analyzer.secrets.mac import RecordMac
from analyzer.secrets.record_protection import open_tls12
from analyzer.tls.suites import suite

MASTER, CLIENT, SERVER = bytes(48), bytes(range(32)), bytes(range(32, 64))


@pytest.fixture
def decryptor():
    return open_tls12(suite(0x0004), 0x0303, MASTER, CLIENT, SERVER)[0]


@pytest.fixture
def records():
    """Ten records, as (content type, version, body)."""
    block = key_block(0x0303, "SHA256", MASTER, CLIENT, SERVER, 64)
    mac, stream = RecordMac(0x0303, "MD5", block[:16]), Cipher(ARC4(block[32:48]), None).encryptor()
    plain = [b"record %d" % number for number in range(10)]
    return [(23, 0x0303, stream.update(text + mac.compute(number, 23, 0x0303, text))) for number, text in enumerate(plain)]


def test_in_order(decryptor, records):
    assert [decryptor.open(*record)[1] for record in records] == [b"record %d" % number for number in range(10)]


def test_after_missing_bytes_nothing_decrypts_and_the_reason_is_given(decryptor, records):
    decryptor.open(*records[0])
    for record in records[3:]:
        with pytest.raises(DecryptionError, match="missing_segment: the place in RC4's key stream"):
            decryptor.open_after_gap(*record, 20)
    assert decryptor.sequence == 1


def test_a_changed_record_affects_only_itself(decryptor, records):
    decryptor.open(*records[0])
    content_type, version, body = records[1]
    changed = bytes([body[0] ^ 1]) + body[1:]
    for _ in range(3):
        with pytest.raises(DecryptionError, match="wrong_secret"):
            decryptor.open(content_type, version, changed)
    assert decryptor.open_after_gap(*records[2], 3) == (1, 23, b"record 2")
    assert decryptor.open(*records[3]) == (23, b"record 3")


def test_too_short_for_a_mac_takes_nothing_of_the_key_stream(decryptor, records):
    with pytest.raises(DecryptionError, match="malformed"):
        decryptor.open(23, 0x0303, bytes(15))
    with pytest.raises(DecryptionError, match="malformed"):
        decryptor.open_after_gap(23, 0x0303, bytes(15), 3)
    assert decryptor.open(*records[0]) == (23, b"record 0")
