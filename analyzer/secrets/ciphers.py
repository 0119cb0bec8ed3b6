"""Maps the cipher names of suites to the ciphers of the library `cryptography`, with the lengths of their keys.

The library has its current ciphers in one module and old ones in another ("decrepit"), and a new release can move a cipher from
the first to the second. Ciphers that are in neither module (ARIA, GOST, Salsa20, Camellia in GCM) are reported as not
supported. The lengths are from RFC 2246, appendix C, RFC 5288, RFC 6655, RFC 7905, RFC 5932, RFC 4162 and RFC 5469.
The library is imported for the first key, because most runs have none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from analyzer.secrets.decryption_error import UNSUPPORTED_CIPHER, DecryptionError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import CipherContext, modes

__all__ = ["AEADS", "BLOCKS", "STREAMS", "Aead", "AeadKind", "BlockCipher", "StreamCipher", "aead_kind", "invalid_tag"]


class Aead(Protocol):
    """An AEAD with its key; `decrypt` raises `invalid_tag()`."""

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class AeadKind:
    """Describes an AEAD: its key, and how much of its nonce is sent in records of TLS 1.2.

    key, iv, tag: lengths in bytes; iv: length of the part that comes from the key block in TLS 1.2. explicit: bytes of the
    nonce that are in each record.
    """

    build: Callable[[bytes], Aead]
    key: int
    iv: int
    explicit: int
    tag: int


@dataclass(frozen=True, slots=True)
class BlockCipher:
    """A block cipher in CBC mode.

    material: number of key bytes taken from the key block; fewer than `key` for export ciphers.
    """

    name: str
    material: int
    key: int
    block: int

    def decryptor(self, key: bytes, iv: bytes) -> "CipherContext":
        """Return a new decryptor. Raises DecryptionError (unsupported_cipher) if the library is built without the cipher."""
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.ciphers import Cipher

        try:
            algorithm = _algorithm(self.name)(key * 3 if self.name == "TripleDES" and len(key) == 8 else key)
            return Cipher(algorithm, _cbc(iv)).decryptor()
        except UnsupportedAlgorithm as error:
            raise DecryptionError(UNSUPPORTED_CIPHER, f"the library is built without {self.name}") from error


@dataclass(frozen=True, slots=True)
class StreamCipher:
    """RC4; the lengths have the same meaning as in `BlockCipher`."""

    material: int
    key: int

    def decryptor(self, key: bytes) -> "CipherContext":
        """Return a new key stream. Raises DecryptionError (unsupported_cipher) if the library is built without the cipher."""
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.ciphers import Cipher

        try:
            return Cipher(_algorithm("ARC4")(key), None).decryptor()
        except UnsupportedAlgorithm as error:
            raise DecryptionError(UNSUPPORTED_CIPHER, "the library is built without RC4") from error


@cache
def aead_kind(cipher: str) -> AeadKind:
    """Return the AEAD of that name. Raises DecryptionError (unsupported_cipher) if there is none."""
    kind = AEADS.get(cipher)
    if kind is None:
        raise DecryptionError(UNSUPPORTED_CIPHER, f"no implementation of {cipher}")
    return kind


@cache
def invalid_tag() -> type[Exception]:
    """Return the class of the error that the library raises for a record whose tag is wrong."""
    from cryptography.exceptions import InvalidTag

    return InvalidTag


def _gcm(key: bytes) -> Aead:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _ccm(key: bytes) -> Aead:
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM

    return AESCCM(key)


def _ccm_8(key: bytes) -> Aead:
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM

    return AESCCM(key, 8)


def _chacha(key: bytes) -> Aead:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    return ChaCha20Poly1305(key)


def _old_chacha(key: bytes) -> Aead:
    from analyzer.secrets.chacha20_old import ChaCha20Poly1305Old

    return ChaCha20Poly1305Old(key)


AEADS = {
    "AES_128_GCM": AeadKind(_gcm, 16, 4, 8, 16),
    "AES_256_GCM": AeadKind(_gcm, 32, 4, 8, 16),
    "AES_128_CCM": AeadKind(_ccm, 16, 4, 8, 16),
    "AES_256_CCM": AeadKind(_ccm, 32, 4, 8, 16),
    "AES_128_CCM_8": AeadKind(_ccm_8, 16, 4, 8, 8),
    "AES_256_CCM_8": AeadKind(_ccm_8, 32, 4, 8, 8),
    "CHACHA20_POLY1305": AeadKind(_chacha, 32, 12, 0, 16),
    "CHACHA20_POLY1305_OLD": AeadKind(_old_chacha, 32, 0, 0, 16),
}

BLOCKS = {
    "3DES_EDE_CBC": BlockCipher("TripleDES", 24, 24, 8),
    "AES_128_CBC": BlockCipher("AES", 16, 16, 16),
    "AES_256_CBC": BlockCipher("AES", 32, 32, 16),
    "CAMELLIA_128_CBC": BlockCipher("Camellia", 16, 16, 16),
    "CAMELLIA_256_CBC": BlockCipher("Camellia", 32, 32, 16),
    "DES40_CBC": BlockCipher("TripleDES", 5, 8, 8),
    "DES_CBC": BlockCipher("TripleDES", 8, 8, 8),
    "DES_CBC_40": BlockCipher("TripleDES", 5, 8, 8),
    "IDEA_CBC": BlockCipher("IDEA", 16, 16, 8),
    "RC2_CBC_40": BlockCipher("RC2", 5, 16, 8),
    "RC2_CBC_56": BlockCipher("RC2", 7, 16, 8),
    "SEED_CBC": BlockCipher("SEED", 16, 16, 16),
    "SM4_CBC": BlockCipher("SM4", 16, 16, 16),
}

STREAMS = {"RC4_128": StreamCipher(16, 16), "RC4_40": StreamCipher(5, 16), "RC4_56": StreamCipher(7, 16)}


@lru_cache(maxsize=16)
def _cbc(iv: bytes) -> "modes.CBC":
    """Return the CBC mode object.

    It is cached: since TLS 1.1 all decryptors start with the same vector, because each record has its own.
    """
    from cryptography.hazmat.primitives.ciphers.modes import CBC

    return CBC(iv)


@cache
def _algorithm(name: str) -> Any:
    from cryptography.hazmat.decrepit.ciphers import algorithms as decrepit
    from cryptography.hazmat.primitives.ciphers import algorithms

    return getattr(decrepit, name, None) or getattr(algorithms, name)
