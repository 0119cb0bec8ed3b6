"""AEADs: features of TLS 1.3 and its drafts, and the counter in the explicit nonce."""

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.poly1305 import Poly1305

from analyzer.secrets import key_schedule13
from analyzer.secrets.aead import FARTHEST_JUMP
from analyzer.secrets.chacha20_old import ChaCha20Poly1305Old
from analyzer.secrets.decryption_error import DecryptionError
from analyzer.secrets.key_schedule import key_block
from analyzer.secrets.record_protection import open_tls12, open_tls13
from analyzer.tls.suites import suite

SECRET = bytes(range(32))
AES, CHACHA = suite(0x1301), suite(0x1303)
GCM = suite(0x009C)
MASTER, CLIENT, SERVER = bytes(48), bytes(range(32)), bytes(range(32, 64))


def seal(sequence, inner, secret=SECRET, chosen=AES, draft=0):
    """A record of TLS 1.3 as (content type, version, body)."""
    build, length = (ChaCha20Poly1305, 32) if chosen is CHACHA else (AESGCM, 16)
    key, iv = key_schedule13.traffic_keys("SHA256", secret, length, key_schedule13.label_prefix(draft))
    header = b"\x17\3\3" + (len(inner) + 16).to_bytes(2, "big")
    nonce = (int.from_bytes(iv, "big") ^ sequence).to_bytes(12, "big")
    return 23, 0x0303, build(key).encrypt(nonce, inner, b"" if 0 < draft < 25 else header)


@pytest.mark.parametrize("n_padding", [0, 1, 1000, 16000])
@pytest.mark.parametrize("plaintext", [b"", b"\0", b"text\0\0"])
def test_padding_is_removed_and_zeros_of_the_text_are_not(n_padding, plaintext):
    decryptor = open_tls13(AES, SECRET)
    assert decryptor.open(*seal(0, plaintext + b"\x17" + bytes(n_padding))) == (23, plaintext)


@pytest.mark.parametrize("inner", [b"\0", bytes(500)])
def test_padding_alone_is_malformed(inner):
    decryptor = open_tls13(AES, SECRET)
    with pytest.raises(DecryptionError, match="malformed: record 0 of this direction is all padding"):
        decryptor.open(*seal(0, inner))
    assert decryptor.sequence == 0


@pytest.mark.parametrize("draft", [18, 19, 20, 23, 24, 25, 28, 0])
def test_labels_and_associated_data_of_the_drafts(draft):
    decryptor = open_tls13(AES, SECRET, draft=draft)
    assert decryptor.open(*seal(0, b"text\x17", draft=draft)) == (23, b"text")
    for other in {18, 20, 25} - {18 if 0 < draft < 20 else 20 if 0 < draft < 25 else 25}:
        with pytest.raises(DecryptionError, match="wrong_secret"):
            decryptor.open(*seal(1, b"text\x17", draft=other))
    decryptor.update()
    following = key_schedule13.next_traffic_secret("SHA256", SECRET, key_schedule13.label_prefix(draft))
    assert decryptor.open(*seal(0, b"text\x17", following, draft=draft)) == (23, b"text")


@pytest.mark.parametrize("chosen", [AES, CHACHA])
def test_records_after_a_gap(chosen):
    decryptor = open_tls13(chosen, SECRET)
    assert decryptor.open(*seal(0, b"0\x17", chosen=chosen)) == (23, b"0")
    with pytest.raises(DecryptionError, match="no tag or MAC agrees for records 1 to 5"):
        decryptor.open_after_gap(*seal(6, b"6\x17", chosen=chosen), 4)
    assert decryptor.open_after_gap(*seal(6, b"6\x15", chosen=chosen), 5) == (5, 21, b"6")
    assert decryptor.open_after_gap(*seal(7, b"7\x17", chosen=chosen), 5) == (0, 23, b"7")


def test_a_key_update_in_a_gap():
    decryptor = open_tls13(AES, SECRET)
    following = key_schedule13.next_traffic_secret("SHA256", SECRET)
    record = seal(3, b"new\x17", following)
    with pytest.raises(DecryptionError, match="wrong_secret"):
        decryptor.open_after_gap(*record, 50)
    assert decryptor.next_generation().open_after_gap(*record, 50) == (3, 23, b"new")
    assert decryptor.open(*seal(0, b"old\x17")) == (23, b"old")


def test_bytes_that_are_not_a_protected_record():
    decryptor = open_tls13(AES, SECRET)
    for content_type in (20, 21, 22, 255):
        with pytest.raises(DecryptionError, match="malformed"):
            decryptor.open(content_type, 0x0303, bytes(100))
    for length in range(17):
        with pytest.raises(DecryptionError, match="malformed"):
            decryptor.open(23, 0x0303, bytes(length))


def test_a_secret_of_another_length():
    with pytest.raises(DecryptionError, match="wrong_secret: a traffic secret of 48 bytes, not the 32"):
        open_tls13(AES, bytes(48))


def seal_gcm(sequence, explicit, plaintext):
    block = key_block(0x0303, "SHA256", MASTER, CLIENT, SERVER, 40)
    aad = sequence.to_bytes(8, "big") + b"\x17\3\3" + len(plaintext).to_bytes(2, "big")
    nonce = explicit.to_bytes(8, "big")
    return 23, 0x0303, nonce + AESGCM(block[:16]).encrypt(block[32:36] + nonce, plaintext, aad)


def test_explicit_nonces_need_not_count():
    decryptor, _ = open_tls12(GCM, 0x0303, MASTER, CLIENT, SERVER)
    assert decryptor.open(*seal_gcm(0, 1 << 63, b"0")) == (23, b"0")
    assert decryptor.open(*seal_gcm(1, 7, b"1")) == (23, b"1")
    assert decryptor.open_after_gap(*seal_gcm(5, 99, b"5"), 10) == (3, 23, b"5")
    assert decryptor.open_after_gap(*seal_gcm(6, 50, b"6"), 10) == (0, 23, b"6")


def test_explicit_nonces_that_count_show_how_long_the_gap_was():
    decryptor, _ = open_tls12(GCM, 0x0303, MASTER, CLIENT, SERVER)
    assert decryptor.open(*seal_gcm(0, 1000, b"0")) == (23, b"0")
    assert decryptor.open_after_gap(*seal_gcm(70_000, 71_000, b"far"), 10) == (69_999, 23, b"far")
    with pytest.raises(DecryptionError, match="wrong_secret"):
        decryptor.open_after_gap(*seal_gcm(FARTHEST_JUMP * 2, FARTHEST_JUMP * 2 + 1000, b"too far"), 10)


def test_chacha20_before_its_rfc():
    old = suite(0xCC13)
    block = key_block(0x0303, "SHA256", MASTER, CLIENT, SERVER, 64)
    sealed = bytes.fromhex("e3e446f7ede9a19b62a4677dabf4e3d24b876bb284753896e1d6")
    decryptor = open_tls12(old, 0x0303, MASTER, CLIENT, SERVER)[1]
    with pytest.raises(DecryptionError, match="wrong_secret"):
        decryptor.open(23, 0x0303, sealed)
    bodies = [seal_old(block[32:], n.to_bytes(8, "big"), b"text", n.to_bytes(8, "big") + b"\x17\3\3\0\4") for n in (0, 5)]
    assert decryptor.open(23, 0x0303, bodies[0]) == (23, b"text")
    assert decryptor.open_after_gap(23, 0x0303, bodies[1], 8) == (4, 23, b"text")


def seal_old(key, nonce, plaintext, aad):
    stream = Cipher(algorithms.ChaCha20(key, bytes(8) + nonce), None).encryptor()
    one_time = stream.update(bytes(64))[:32]
    ciphertext = stream.update(plaintext)
    data = aad + len(aad).to_bytes(8, "little") + ciphertext + len(ciphertext).to_bytes(8, "little")
    sealed = ciphertext + Poly1305.generate_tag(one_time, data)
    assert ChaCha20Poly1305Old(key).decrypt(nonce, sealed, aad) == plaintext
    return sealed
