"""Derives keys from secrets in SSL 3.0 to TLS 1.2: master secret, key block, Finished.

The premaster secret comes from RSA, Diffie-Hellman or a pre-shared key. The master secret is derived from it and from the
randoms of the two hellos. With the extension of RFC 7627, the hash of the handshake so far is used instead of the randoms. The
master secret and the randoms give the key block, which contains the keys of both directions. At the end of the handshake, each
side proves with Finished that it has the master secret and saw the same messages. SSL 3.0 (RFC 6101) has its own construction
of MD5 and SHA-1. TLS 1.0 and 1.1 XOR an expansion with each of the two (RFC 2246, section 5). TLS 1.2 expands with the hash of
the suite (RFC 5246, section 5).

Versions are the numbers on the wire, 0x0300 to 0x0303, or those of DTLS. Hashes have the names that suites use. HMAC is built
here from two hashes, because Python's own `hmac` looks up its algorithm at each call, which takes three times as long.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

from analyzer.secrets.suite_interface import HashFunction, hash_function

if TYPE_CHECKING:
    import cython

MASTER_SECRET = 48
"""Length of every master secret, in bytes."""

VERIFY_DATA = 12
"""Length of a Finished since TLS 1.0, in bytes."""

SSL_3_0, TLS_1_0, TLS_1_1, TLS_1_2 = 0x0300, 0x0301, 0x0302, 0x0303

REMEMBERED_KEYS = 64
"""How many HMAC keys are cached: enough for the handshakes that run at the same time."""

_INNER = bytes(octet ^ 0x36 for octet in range(256))
_OUTER = bytes(octet ^ 0x5C for octet in range(256))
# DTLS 1.0 as OpenSSL wrote it before the RFC, DTLS 1.0 and 1.2.
_DTLS = {0x0100: TLS_1_1, 0xFEFF: TLS_1_1, 0xFEFD: TLS_1_2}


def tls_version(version: cython.int) -> cython.int:
    """Return the TLS version that a DTLS version is based on. Any other number is returned unchanged."""
    return version if SSL_3_0 <= version <= TLS_1_2 else _DTLS.get(version, version)


def hmac(hashed: HashFunction, key: bytes, data: bytes) -> bytes:
    """Compute HMAC (RFC 2104)."""
    inner, outer = hmac_keys(hashed, key)
    return hashed(outer + hashed(inner + data).digest()).digest()


def hmac_keys(hashed: HashFunction, key: bytes) -> tuple[bytes, bytes]:
    """Return the first block of the inner hash and of the outer hash of an HMAC."""
    block: cython.Py_ssize_t = _block_size(hashed)
    if len(key) > block:
        key = hashed(key).digest()
    return key.translate(_INNER).ljust(block, b"\x36"), key.translate(_OUTER).ljust(block, b"\x5c")


class Hmac:
    """HMAC with one key, for several messages.

    The part that depends only on the key is hashed once and copied for each message.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, hashed: HashFunction, key: bytes) -> None:
        inner, outer = hmac_keys(hashed, key)
        self._inner = hashed(inner)
        self._outer = hashed(outer)

    def compute(self, data: bytes) -> bytes:
        """Return the MAC of a message."""
        inner = self._inner.copy()
        inner.update(data)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()


@lru_cache(maxsize=REMEMBERED_KEYS)
def keyed_hmac(hashed: HashFunction, key: bytes) -> Hmac:
    """Return the HMAC of a key, cached because the same key is used again soon.

    A session uses its secret first for its keys and then for its Finished.
    """
    return Hmac(hashed, key)


@cache
def _block_size(hashed: HashFunction) -> int:
    return hashed(b"").block_size


def prf(version: cython.int, prf_hash: str, secret: bytes, label: bytes, seed: bytes, length: cython.Py_ssize_t) -> bytes:
    """Return `length` pseudorandom bytes from the PRF of a version; `prf_hash` is used only since TLS 1.2."""
    version = tls_version(version)
    if version <= SSL_3_0:
        return _prf_ssl3(secret, seed, length)
    if version < TLS_1_2:
        return _prf_tls10(secret, label + seed, length)
    return _p_hash(hash_function(prf_hash), secret, label + seed, length)


def master_secret(version: cython.int, prf_hash: str, premaster: bytes, client_random: bytes, server_random: bytes) -> bytes:
    """Derive the master secret (RFC 5246, section 8.1; RFC 6101, section 6.1)."""
    return prf(version, prf_hash, premaster, b"master secret", client_random + server_random, MASTER_SECRET)


def extended_master_secret(version: cython.int, prf_hash: str, premaster: bytes, handshake_messages: bytes) -> bytes:
    """Derive the master secret of RFC 7627.

    handshake_messages: the messages with their headers, from ClientHello to ClientKeyExchange, both included.
    """
    seed = _session_hash(version, prf_hash, handshake_messages)
    return prf(version, prf_hash, premaster, b"extended master secret", seed, MASTER_SECRET)


def psk_premaster(psk: bytes, other_secret: bytes | None = None) -> bytes:
    """Return the premaster secret of a PSK suite (RFC 4279, section 2).

    other_secret: the Diffie-Hellman secret, or the 48 bytes that RSA_PSK encrypts; None for plain PSK.
    """
    other = bytes(len(psk)) if other_secret is None else other_secret
    return len(other).to_bytes(2, "big") + other + len(psk).to_bytes(2, "big") + psk


def key_block(
    version: cython.int, prf_hash: str, master: bytes, client_random: bytes, server_random: bytes, length: cython.Py_ssize_t
) -> bytes:
    """Expand the master secret into the key block (RFC 5246, section 6.3). Here the server's random comes first."""
    return prf(version, prf_hash, master, b"key expansion", server_random + client_random, length)


def finished(version: cython.int, prf_hash: str, master: bytes, client: bool, handshake_messages: bytes) -> bytes:
    """Return the verify_data of a side's Finished: 36 bytes in SSL 3.0, else 12.

    client: True for the client's Finished. handshake_messages: all messages before this Finished, with headers. If the other
    side sent its Finished first, that message is included.
    """
    if tls_version(version) <= SSL_3_0:
        return ssl3_signed_hash(master, handshake_messages + (b"CLNT" if client else b"SRVR"))
    return finished_of(version, prf_hash, master, client, _session_hash(version, prf_hash, handshake_messages))


def finished_of(version: cython.int, prf_hash: str, master: bytes, client: cython.bint, session_hash: bytes) -> bytes:
    """Return the verify_data of a side's Finished since TLS 1.0, given the hash of all messages before it."""
    label = b"client finished" if client else b"server finished"
    return prf(version, prf_hash, master, label, session_hash, VERIFY_DATA)


def ssl3_signed_hash(master: bytes, handshake_messages: bytes) -> bytes:
    """Return the value that a CertificateVerify of SSL 3.0 signs: MD5 and SHA-1 (RFC 6101, section 5.6.8)."""
    return _ssl3_hash("MD5", 48, master, handshake_messages) + _ssl3_hash("SHA", 40, master, handshake_messages)


def export_keys(
    version: cython.int,
    prf_hash: str,
    client_key: bytes,
    server_key: bytes,
    client_random: bytes,
    server_random: bytes,
    key_length: int,
    iv_length: int,
) -> tuple[bytes, bytes, bytes, bytes]:
    """Derive the keys of an export suite from its few secret bytes (RFC 2246, section 6.3.1; RFC 6101, section 6.2.2).

    Returns client's key, server's key, client's initialisation vector, server's. The vectors do not depend on any secret.
    """
    hellos, reverse = client_random + server_random, server_random + client_random
    if tls_version(version) <= SSL_3_0:
        md5 = hash_function("MD5")
        return (
            md5(client_key + hellos).digest()[:key_length],
            md5(server_key + reverse).digest()[:key_length],
            md5(hellos).digest()[:iv_length],
            md5(reverse).digest()[:iv_length],
        )
    # Since TLS 1.1 these suites must not be negotiated. Implementations that did so used the PRF of the version.
    vectors = prf(version, prf_hash, b"", b"IV block", hellos, 2 * iv_length)
    return (
        prf(version, prf_hash, client_key, b"client write key", hellos, key_length),
        prf(version, prf_hash, server_key, b"server write key", hellos, key_length),
        vectors[:iv_length],
        vectors[iv_length:],
    )


def _p_hash(hashed: HashFunction, secret: bytes, seed: bytes, length: cython.Py_ssize_t) -> bytes:
    keyed: Hmac = keyed_hmac(hashed, secret)
    turn = keyed.compute(seed)
    output = keyed.compute(turn + seed)
    while len(output) < length:
        turn = keyed.compute(turn)
        output += keyed.compute(turn + seed)
    return output[:length]


def _prf_tls10(secret: bytes, seed: bytes, length: cython.Py_ssize_t) -> bytes:
    half = (len(secret) + 1) // 2
    by_md5 = _p_hash(hash_function("MD5"), secret[:half], seed, length)
    by_sha = _p_hash(hash_function("SHA"), secret[len(secret) - half :], seed, length)
    return (int.from_bytes(by_md5, "big") ^ int.from_bytes(by_sha, "big")).to_bytes(length, "big")


def _prf_ssl3(secret: bytes, seed: bytes, length: cython.Py_ssize_t) -> bytes:
    """Repeat MD5(secret || SHA(A, BB, CCC … || secret || seed)) (RFC 6101, sections 6.1 and 6.2.2).

    This PRF has no labels.
    """
    md5, sha = hash_function("MD5"), hash_function("SHA")
    output, turn = b"", 0
    while len(output) < length:
        turn += 1
        salt = bytes([0x40 + turn]) * turn
        output += md5(secret + sha(salt + secret + seed).digest()).digest()
    return output[:length]


def _ssl3_hash(name: str, n_padding: int, master: bytes, data: bytes) -> bytes:
    hashed = hash_function(name)
    inner = hashed(data + master + b"\x36" * n_padding).digest()
    return hashed(master + b"\x5c" * n_padding + inner).digest()


def _session_hash(version: cython.int, prf_hash: str, handshake_messages: bytes) -> bytes:
    if tls_version(version) < TLS_1_2:
        return hash_function("MD5")(handshake_messages).digest() + hash_function("SHA")(handshake_messages).digest()
    return hash_function(prf_hash)(handshake_messages).digest()
