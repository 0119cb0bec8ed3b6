"""Defines the cipher suite attributes that key schedules and ciphers need, and the hashes that suites name."""

import hashlib
from collections.abc import Callable
from functools import cache
from typing import Protocol

from analyzer.secrets.decryption_error import UNSUPPORTED_CIPHER, DecryptionError


class Suite(Protocol):
    """A cipher suite, divided into the parts of its registered name.

    cipher: such as AES_128_GCM, 3DES_EDE_CBC, RC4_40, NULL. mode: aead, cbc, stream or null. mac: HMAC, AEAD, NULL and others.
    hash: of the HMAC; with an AEAD, of the PRF or the key schedule. prf_hash: of the PRF of TLS 1.2, or of the key schedule.
    export: the keys are weakened (RFC 2246, section 6.3.1). tls13: it is a suite of TLS 1.3.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def cipher(self) -> str: ...  # noqa: D102
    @property
    def mode(self) -> str: ...  # noqa: D102
    @property
    def mac(self) -> str: ...  # noqa: D102
    @property
    def hash(self) -> str: ...  # noqa: D102
    @property
    def prf_hash(self) -> str: ...  # noqa: D102
    @property
    def export(self) -> bool: ...  # noqa: D102
    @property
    def tls13(self) -> bool: ...  # noqa: D102


class Hash(Protocol):
    """A hash object, like those of hashlib."""

    def copy(self) -> "Hash": ...  # noqa: D102
    def digest(self) -> bytes: ...  # noqa: D102
    def update(self, data: bytes, /) -> None: ...  # noqa: D102
    @property
    def block_size(self) -> int: ...  # noqa: D102
    @property
    def digest_size(self) -> int: ...  # noqa: D102


HashFunction = Callable[[bytes], Hash]

_DIRECT: dict[str, HashFunction] = {
    "MD5": hashlib.md5,
    "SHA": hashlib.sha1,
    "SHA224": hashlib.sha224,
    "SHA256": hashlib.sha256,
    "SHA384": hashlib.sha384,
    "SHA512": hashlib.sha512,
}
_BY_NAME = {"RMD": "ripemd160", "SM3": "sm3"}


@cache
def hash_sizes(name: str) -> tuple[int, int]:
    """Return the block size and the digest size of a hash in bytes. Raises DecryptionError (see `hash_function`)."""
    started = hash_function(name)(b"")
    return started.block_size, started.digest_size


@cache
def hash_function(name: str) -> HashFunction:
    """Return the function that starts the hash with this name (SHA is SHA-1).

    Raises DecryptionError (unsupported_cipher) if Python does not have the hash.
    """
    if name in _DIRECT:
        return _DIRECT[name]
    if _BY_NAME.get(name, name) not in hashlib.algorithms_available:
        raise DecryptionError(UNSUPPORTED_CIPHER, f"no implementation of the hash {name}")
    spelled = _BY_NAME[name]

    def start(data: bytes) -> Hash:
        return hashlib.new(spelled, data)

    return start
