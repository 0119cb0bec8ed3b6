"""Records of DTLS 1.3: made here after RFC 9147 section 4.2, with each kind of header and cipher, and opened."""

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

from analyzer.secrets.decryption_error import DecryptionError
from analyzer.secrets.dtls_protection import EpochKeys, inner_content, nearest_number
from analyzer.secrets.key_schedule13 import DTLS, expand_label, next_traffic_secret
from analyzer.tls.suites import suite

SECRET = bytes(range(32))
CIPHERS = {0x1301: (AESGCM, 16), 0x1303: (ChaCha20Poly1305, 32), 0x1304: (AESCCM, 16), 0x1305: (AESCCM, 16)}


def mask_of(number: int, key: bytes, sample: bytes) -> bytes:
    """The mask of RFC 9147 section 4.2.3."""
    if number == 0x1303:
        encryptor = Cipher(algorithms.ChaCha20(key, sample), None).encryptor()
        return encryptor.update(bytes(16))
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(sample)


def sealed(number: int, sequence: int, content: bytes, first: int = 0x2F, cid: bytes = b"", secret: bytes = SECRET):
    """A record with a unified header, and the length of that."""
    cipher, n_key = CIPHERS[number]
    lengths = (b"key", n_key), (b"iv", 12), (b"sn", n_key)
    key, iv, sn_key = (expand_label("SHA256", secret, label, b"", length, DTLS) for label, length in lengths)
    aead = cipher(key, tag_length=8) if number == 0x1305 else cipher(key)
    n_number = 2 if first & 8 else 1
    inner = content + bytes((23, 0, 0))
    shown = (sequence & (1 << 8 * n_number) - 1).to_bytes(n_number, "big")
    length = (len(inner) + (8 if number == 0x1305 else 16)).to_bytes(2, "big") if first & 4 else b""
    header = bytes((first | (16 if cid else 0),)) + cid + shown + length
    nonce = (int.from_bytes(iv, "big") ^ sequence).to_bytes(12, "big")
    body = aead.encrypt(nonce, inner, header)
    mask = mask_of(number, sn_key, body[:16])
    hidden = bytes(a ^ b for a, b in zip(shown, mask, strict=False))
    return bytes((header[0],)) + cid + hidden + length + body, len(header)


@pytest.mark.parametrize("number", sorted(CIPHERS))
@pytest.mark.parametrize("first", [0x23, 0x27, 0x2B, 0x2F])
@pytest.mark.parametrize("cid", [b"", b"\xc1\xd2"])
def test_each_header_and_cipher(number, first, cid):
    keys = EpochKeys(suite(number), SECRET)
    for sequence in (0, 1, 5, 3):
        record, header = sealed(number, sequence, b"content", first=first, cid=cid)
        assert keys.open(record, header) == (sequence, 23, b"content")
    assert keys.highest == 5
    changed = bytearray(record)
    changed[0] ^= 0x01  # the bits of the epoch are authenticated
    assert keys.open(bytes(changed), header) is None


def test_numbers_far_ahead():
    keys = EpochKeys(suite(0x1301), SECRET)
    for sequence in (0, 120, 300, 1500):
        record, header = sealed(0x1301, sequence, b"x", first=0x23)
        assert keys.open(record, header) == (sequence, 23, b"x")


def test_strangers_use_up_the_attempts():
    keys = EpochKeys(suite(0x1301), SECRET)
    before = keys.attempts
    assert keys.open(b"\x2f" + bytes(60), 5) is None
    assert keys.open(b"\x2f" + bytes(10), 5) is None  # too short for a sample
    assert keys.attempts == before - 1


def test_the_next_epoch():
    record, header = sealed(0x1301, 0, b"later", secret=next_traffic_secret("SHA256", SECRET, DTLS))
    keys = EpochKeys(suite(0x1301), SECRET)
    assert keys.open(record, header) is None
    assert keys.following().open(record, header) == (0, 23, b"later")


def test_a_secret_of_another_length():
    with pytest.raises(DecryptionError):
        EpochKeys(suite(0x1302), SECRET)


def test_inner_content():
    assert inner_content(b"\0\0\x16") == (22, b"\0\0")
    assert inner_content(bytes(4)) is None


@pytest.mark.parametrize(
    ("highest", "bits", "n_bytes", "number"),
    [(-1, 0, 1, 0), (-1, 255, 1, 255), (254, 255, 1, 255), (255, 0, 1, 256), (300, 200, 1, 200), (0x1FFFF, 3, 2, 0x20003)],
)
def test_nearest_number(highest, bits, n_bytes, number):
    assert nearest_number(highest, bits, n_bytes) == number
