"""HPKE from the shared secret on: the example of the RFC, and messages of another implementation for every suite."""

import itertools

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from analyzer.secrets.decryption_error import UNSUPPORTED_CIPHER, WRONG_SECRET, DecryptionError
from analyzer.secrets.hpke import Recipient
from analyzer.secrets.key_schedule import hmac
from analyzer.secrets.suite_interface import hash_function

# RFC 9180, appendix A.1.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM.
INFO = bytes.fromhex("4f6465206f6e2061204772656369616e2055726e")
SHARED_SECRET = bytes.fromhex("fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc")
PLAINTEXT = bytes.fromhex("4265617574792069732074727574682c20747275746820626561757479")
CIPHERTEXTS = {
    0: "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a",
    1: "af2d7e9ac9ae7e270f46ba1f975be53c09f8d875bdc8535458c2494e8a6eab251c03d0c22a56b8ca42c2063b84",
}


def decapsulate(private: X25519PrivateKey, enc: bytes) -> bytes:
    """The KEM's shared secret, which the library does not return (RFC 9180, section 4.1)."""
    start = hash_function("SHA256")
    suite = b"KEM\x00\x20"
    product = private.exchange(X25519PublicKey.from_public_bytes(enc))
    extracted = hmac(start, bytes(32), b"HPKE-v1" + suite + b"eae_prk" + product)
    context = enc + private.public_key().public_bytes_raw()
    return hmac(start, extracted, b"\x00\x20HPKE-v1" + suite + b"shared_secret" + context + b"\x01")


def test_the_example_of_the_rfc() -> None:
    recipient = Recipient(0x20, 1, 1, SHARED_SECRET, INFO)
    for sequence, ciphertext in CIPHERTEXTS.items():
        assert recipient.open(sequence, b"Count-%d" % sequence, bytes.fromhex(ciphertext)) == PLAINTEXT


@pytest.mark.parametrize("change", ["secret", "info", "sequence", "associated data", "ciphertext", "short"])
def test_whatever_differs_opens_nothing(change: str) -> None:
    ciphertext = bytes.fromhex(CIPHERTEXTS[0])
    secret = SHARED_SECRET[::-1] if change == "secret" else SHARED_SECRET
    recipient = Recipient(0x20, 1, 1, secret, INFO + b"!" * (change == "info"))
    sent = {"ciphertext": ciphertext[:-1] + bytes([ciphertext[-1] ^ 1]), "short": ciphertext[:7]}.get(change, ciphertext)
    with pytest.raises(DecryptionError) as error:
        recipient.open(change == "sequence", b"Count-0" + b"!" * (change == "associated data"), sent)
    assert error.value.reason == WRONG_SECRET


@pytest.mark.parametrize(("kdf", "aead"), list(itertools.product((1, 2, 3), (1, 2, 3))))
def test_messages_of_another_implementation(kdf: int, aead: int) -> None:
    hpke = pytest.importorskip("cryptography.hazmat.primitives.hpke")
    names = ("HKDF_SHA256", "HKDF_SHA384", "HKDF_SHA512"), ("AES_128_GCM", "AES_256_GCM", "CHACHA20_POLY1305")
    suite = hpke.Suite(hpke.KEM.X25519, getattr(hpke.KDF, names[0][kdf - 1]), getattr(hpke.AEAD, names[1][aead - 1]))
    private = X25519PrivateKey.generate()
    message = suite.encrypt(b"what was said", private.public_key(), info=b"to whom")
    recipient = Recipient(0x20, kdf, aead, decapsulate(private, message[:32]), b"to whom")
    assert recipient.open(0, b"", message[32:]) == b"what was said"


@pytest.mark.parametrize(("kdf", "aead"), [(0x10, 1), (1, 0xFFFF), (0, 0)])
def test_unavailable_algorithms_are_named(kdf: int, aead: int) -> None:
    with pytest.raises(DecryptionError, match=f"KDF {kdf:#06x}, AEAD {aead:#06x}") as error:
        Recipient(0x20, kdf, aead, SHARED_SECRET, INFO)
    assert error.value.reason == UNSUPPORTED_CIPHER
