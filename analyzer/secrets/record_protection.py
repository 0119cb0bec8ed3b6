"""Builds record decryptors from secrets, according to cipher suite and version.

The key block of SSL 3.0 to TLS 1.2 is divided in this order: MAC keys, cipher keys, initialisation vectors. For each of these
the client's part comes first, then the server's (RFC 5246, section 6.3). TLS 1.3 instead has a secret for each direction and
epoch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.secrets.aead import ExplicitNonceDecryptor, ImplicitNonceDecryptor, Tls13Decryptor
from analyzer.secrets.block import BlockDecryptor
from analyzer.secrets.ciphers import BLOCKS, STREAMS, AeadKind, BlockCipher, StreamCipher, aead_kind
from analyzer.secrets.decryption_error import UNSUPPORTED_CIPHER, DecryptionError
from analyzer.secrets.key_schedule import SSL_3_0, TLS_1_1, export_keys, key_block, tls_version
from analyzer.secrets.key_schedule13 import DTLS, label_prefix
from analyzer.secrets.mac import RecordMac
from analyzer.secrets.record_decryptor import RecordDecryptor
from analyzer.secrets.stream import StreamDecryptor
from analyzer.secrets.suite_interface import Suite, hash_function

if TYPE_CHECKING:
    import cython


def open_tls12(
    suite: Suite,
    version: cython.int,
    master_secret: bytes,
    client_random: bytes,
    server_random: bytes,
    encrypt_then_mac: cython.bint = False,
    truncated_hmac: cython.bint = False,
) -> tuple[RecordDecryptor, RecordDecryptor]:
    """Return the record decryptors of the client and of the server after ChangeCipherSpec; SSL 3.0 to TLS 1.2, and DTLS.

    encrypt_then_mac, truncated_hmac: whether the hellos agreed on these extensions; both apply only to suites with a MAC.
    Raises DecryptionError (unsupported_cipher) if the cipher or the hash is not available.
    """
    version = tls_version(version)
    if suite.tls13:
        raise DecryptionError(UNSUPPORTED_CIPHER, f"{suite.name} is of TLS 1.3")
    if suite.mode == "aead":
        return _aead_decryptors(suite, version, master_secret, client_random, server_random)
    if suite.mac != "HMAC":
        raise DecryptionError(UNSUPPORTED_CIPHER, f"no MAC of the kind of {suite.name}")
    cipher = BLOCKS.get(suite.cipher) or STREAMS.get(suite.cipher)
    if cipher is None and suite.mode != "null":
        raise DecryptionError(UNSUPPORTED_CIPHER, f"no implementation of {suite.cipher}")
    n_mac = hash_function(suite.hash)(b"").digest_size
    n_key = cipher.material if cipher else 0
    n_iv = cipher.block if isinstance(cipher, BlockCipher) else 0
    block = key_block(version, suite.prf_hash, master_secret, client_random, server_random, 2 * (n_mac + n_key + n_iv))
    macs = [RecordMac(version, suite.hash, key, truncated_hmac) for key in _both_keys(block, 0, n_mac)]
    keys = _both_keys(block, 2 * n_mac, n_key)
    ivs = _both_keys(block, 2 * (n_mac + n_key), n_iv)
    if cipher is not None and suite.export:
        exported = export_keys(version, suite.prf_hash, *keys, client_random, server_random, cipher.key, n_iv)
        keys, ivs = exported[:2], exported[2:]
    return (
        _mac_decryptor(cipher, version, keys[0], ivs[0], macs[0], encrypt_then_mac),
        _mac_decryptor(cipher, version, keys[1], ivs[1], macs[1], encrypt_then_mac),
    )


def open_tls13(suite: Suite, traffic_secret: bytes, draft: cython.int = 0, dtls: cython.bint = False) -> Tls13Decryptor:
    """Return the record decryptor of one direction of TLS 1.3 in one epoch.

    draft: 0 for the RFC, else the number of a draft, 18 or later. Raises DecryptionError: unsupported_cipher, or wrong_secret
    if the secret is not as long as the hash of the suite.
    """
    kind = _kind(suite)
    return Tls13Decryptor(kind, suite.prf_hash, traffic_secret, DTLS if dtls else label_prefix(draft), draft)


def _kind(suite: Suite) -> AeadKind:
    if suite.mode != "aead":
        raise DecryptionError(UNSUPPORTED_CIPHER, f"{suite.name} has no AEAD")
    return aead_kind(suite.cipher)


def _aead_decryptors(
    suite: Suite, version: cython.int, master_secret: bytes, client_random: bytes, server_random: bytes
) -> tuple[RecordDecryptor, RecordDecryptor]:
    kind = _kind(suite)
    block = key_block(version, suite.prf_hash, master_secret, client_random, server_random, 2 * (kind.key + kind.iv))
    keys, ivs = _both_keys(block, 0, kind.key), _both_keys(block, 2 * kind.key, kind.iv)
    build = ExplicitNonceDecryptor if kind.explicit else ImplicitNonceDecryptor
    return build(kind, keys[0], ivs[0]), build(kind, keys[1], ivs[1])


def _mac_decryptor(
    cipher: BlockCipher | StreamCipher | None,
    version: cython.int,
    key: bytes,
    iv: bytes,
    mac: RecordMac,
    encrypt_then_mac: cython.bint,
) -> RecordDecryptor:
    if cipher is None:
        return StreamDecryptor(None, mac)
    if isinstance(cipher, StreamCipher):
        return StreamDecryptor(cipher.decryptor(key), mac)
    chained, loose = version < TLS_1_1, version <= SSL_3_0
    return BlockDecryptor(cipher, key, iv, mac, chained=chained, loose=loose, outside=encrypt_then_mac)


def _both_keys(block: bytes, start: cython.Py_ssize_t, length: cython.Py_ssize_t) -> tuple[bytes, bytes]:
    return block[start : start + length], block[start + length : start + 2 * length]
