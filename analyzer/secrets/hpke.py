"""Implements hybrid public key encryption, from the KEM's shared secret on (RFC 9180, section 5; base mode).

HPKE encrypts to a public key. A key encapsulation mechanism (KEM) gives both sides a shared secret. HKDF derives from it the
key and the base nonce of an AEAD; `info`, which both sides know, goes into the derivation. Messages are numbered, and the
number is XORed into the nonce. A key log contains the shared secret (ECH_SECRET). So this module needs neither the private key
nor an implementation of the KEM, only the number of the KEM.
"""

from analyzer.secrets.ciphers import AEADS, AeadKind, invalid_tag
from analyzer.secrets.decryption_error import UNSUPPORTED_CIPHER, WRONG_SECRET, DecryptionError
from analyzer.secrets.key_schedule import hmac
from analyzer.secrets.key_schedule13 import extract
from analyzer.secrets.suite_interface import hash_function

NONCE_LENGTH = 12
"""Nonce length in bytes of every AEAD of HPKE (RFC 9180, section 7.3)."""

_VERSION = b"HPKE-v1"
_BASE = b"\0"
_HASHES = {1: "SHA256", 2: "SHA384", 3: "SHA512"}
_AEADS = {1: "AES_128_GCM", 2: "AES_256_GCM", 3: "CHACHA20_POLY1305"}


class Recipient:
    """Decrypts the messages of one sender. The numbers of its three algorithms are those of the IANA registry."""

    __slots__ = ("_aead", "_nonce")

    def __init__(self, kem: int, kdf: int, aead: int, shared_secret: bytes, info: bytes) -> None:
        """Raises DecryptionError (unsupported_cipher) if RFC 9180 does not define the KDF, or the AEAD for encryption."""
        hash_name, cipher = _HASHES.get(kdf), _AEADS.get(aead)
        if hash_name is None or cipher is None:
            raise DecryptionError(
                UNSUPPORTED_CIPHER, f"no implementation of the HPKE algorithms KDF {kdf:#06x}, AEAD {aead:#06x}"
            )
        kind: AeadKind = AEADS[cipher]
        suite = b"HPKE" + kem.to_bytes(2, "big") + kdf.to_bytes(2, "big") + aead.to_bytes(2, "big")
        no_psk = _labeled_extract(hash_name, suite, b"", b"psk_id_hash", b"")
        context = _BASE + no_psk + _labeled_extract(hash_name, suite, b"", b"info_hash", info)
        secret = _labeled_extract(hash_name, suite, shared_secret, b"secret", b"")
        self._aead = kind.build(_labeled_expand(hash_name, suite, secret, b"key", context, kind.key))
        self._nonce = int.from_bytes(_labeled_expand(hash_name, suite, secret, b"base_nonce", context, NONCE_LENGTH), "big")

    def open(self, sequence: int, associated_data: bytes, ciphertext: bytes) -> bytes:
        """Decrypt the message with this number; the first is 0.

        Raises DecryptionError (wrong_secret) if its tag is not correct.
        """
        try:
            return self._aead.decrypt((self._nonce ^ sequence).to_bytes(NONCE_LENGTH, "big"), ciphertext, associated_data)
        except invalid_tag():
            raise DecryptionError(WRONG_SECRET, f"the tag of HPKE message {sequence} does not agree") from None


def _labeled_extract(hash_name: str, suite: bytes, salt: bytes, label: bytes, key_material: bytes) -> bytes:
    return extract(hash_name, salt, _VERSION + suite + label + key_material)


def _labeled_expand(hash_name: str, suite: bytes, secret: bytes, label: bytes, info: bytes, length: int) -> bytes:
    """Return at most one hash length of output. No key is longer than that."""
    labeled = length.to_bytes(2, "big") + _VERSION + suite + label + info
    return hmac(hash_function(hash_name), secret, labeled + b"\1")[:length]
