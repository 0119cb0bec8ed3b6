"""CBC: padding, lengths, and MACs that are truncated or over the ciphertext."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from analyzer.secrets.decryption_error import DecryptionError
from analyzer.secrets.key_schedule import key_block
from analyzer.secrets.mac import RecordMac
from analyzer.secrets.record_protection import open_tls12
from analyzer.tls.suites import suite

AES_SHA = suite(0x002F)
MASTER, CLIENT, SERVER = bytes(48), bytes(range(32)), bytes(range(32, 64))


def seal(version, plaintext, padding, n_mac=20):
    """The client's first record, with any padding and the first bytes of the MAC."""
    block = key_block(version, "SHA256", MASTER, CLIENT, SERVER, 104)
    iv = block[72:88] if version < 0x0302 else bytes(range(16))
    padded = plaintext + RecordMac(version, "SHA", block[:20]).compute(0, 23, version, plaintext)[:n_mac] + padding
    encryptor = Cipher(algorithms.AES(block[40:56]), modes.CBC(iv)).encryptor()
    return (b"" if version < 0x0302 else iv) + encryptor.update(padded)


def decryptor(version, **options):
    return open_tls12(AES_SHA, version, MASTER, CLIENT, SERVER, **options)[0]


def padding(length):
    return bytes([length - 1]) * length


@pytest.mark.parametrize("version", [0x0301, 0x0302, 0x0303])
@pytest.mark.parametrize("length", [5, 21, 245])
def test_padding_of_tls_may_be_long_and_has_to_be_right(version, length):
    text = b"seven b"
    assert decryptor(version).open(23, version, seal(version, text, padding(length))) == (23, text)
    wrong = bytes([length]) + padding(length)[1:]
    with pytest.raises(DecryptionError, match="wrong_secret"):
        decryptor(version).open(23, version, seal(version, text, wrong))


def test_padding_of_ssl_3_0_is_anything_but_short():
    assert decryptor(0x0300).open(23, 0x0300, seal(0x0300, b"seven b", b"any\0\4")) == (23, b"seven b")
    with pytest.raises(DecryptionError, match="wrong_secret"):
        decryptor(0x0300).open(23, 0x0300, seal(0x0300, b"seven b", padding(21)))


@pytest.mark.parametrize("last", [44, 60, 255])
def test_padding_that_would_be_longer_than_the_record(last):
    body = seal(0x0303, b"seven b", bytes(4) + bytes([last]))
    with pytest.raises(DecryptionError, match="wrong_secret"):
        decryptor(0x0303).open(23, 0x0303, body)


def test_a_record_of_no_plaintext():
    assert decryptor(0x0301).open(23, 0x0301, seal(0x0301, b"", padding(12))) == (23, b"")


def test_lengths_that_no_record_has():
    for version, lengths in ((0x0301, (0, 8, 16, 31, 33)), (0x0303, (0, 16, 32, 40, 49))):
        for length in lengths:
            with pytest.raises(DecryptionError, match="malformed"):
                decryptor(version).open(23, version, bytes(length))
    for length in (0, 20, 36, 51, 53):
        with pytest.raises(DecryptionError, match="malformed"):
            decryptor(0x0303, encrypt_then_mac=True).open(23, 0x0303, bytes(length))


def test_truncated_mac():
    text = b"one"
    body = seal(0x0303, text, padding(3), n_mac=10)
    assert decryptor(0x0303, truncated_hmac=True).open(23, 0x0303, body) == (23, text)
    with pytest.raises(DecryptionError, match=r"malformed|wrong_secret"):
        decryptor(0x0303).open(23, 0x0303, body)


def test_mac_outside_with_wrong_padding_inside():
    block = key_block(0x0303, "SHA256", MASTER, CLIENT, SERVER, 104)
    iv = bytes(16)
    for padded, good in (
        (b"seven b" + padding(9), True),
        (b"seven b" + bytes(8) + b"\x08", False),
        (bytes(15) + b"\x10", False),
    ):
        ciphertext = iv + Cipher(algorithms.AES(block[40:56]), modes.CBC(iv)).encryptor().update(padded)
        header = bytes(8) + b"\x17\3\3" + len(ciphertext).to_bytes(2, "big")
        body = ciphertext + hmac.digest(block[:20], header + ciphertext, hashlib.sha1)
        opened = decryptor(0x0303, encrypt_then_mac=True)
        if good:
            assert opened.open(23, 0x0303, body) == (23, b"seven b")
        else:
            with pytest.raises(DecryptionError, match="wrong_secret"):
                opened.open(23, 0x0303, body)
