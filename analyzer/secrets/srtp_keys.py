"""Derives the master keys and salts of SRTP from a handshake that agreed on a profile (RFC 5764 section 4.2).

The handshake exports one block of key material under a label: up to TLS 1.2 with its PRF, from the master secret and both
randoms (RFC 5705 section 4); in TLS 1.3 from its exporter secret (RFC 9846 section 7.5). The block has the keys of client and
server, then the salts of client and server, each as long as the profile says. No text of this module contains a secret.
"""

from typing import NamedTuple

from analyzer.secrets.key_schedule import prf
from analyzer.secrets.key_schedule13 import TLS, derive_secret, expand_label
from analyzer.secrets.suite_interface import hash_function

LABEL = b"EXTRACTOR-dtls_srtp"
"""The label under which SRTP's keys are exported (RFC 5764 section 4.2)."""

LENGTHS = {
    0x0001: (16, 14),
    0x0002: (16, 14),
    0x0003: (32, 14),
    0x0004: (32, 14),
    0x0007: (16, 12),
    0x0008: (32, 12),
    0x0009: (32, 24),
    0x000A: (64, 24),
    0x000B: (16, 14),
    0x000C: (16, 14),
    0x000D: (32, 14),
    0x000E: (32, 14),
    0x000F: (16, 12),
    0x0010: (32, 12),
}
"""Bytes of a master key and of a master salt, by the number of the profile (registry `srtp_protection_profiles`).

RFC 5764 section 4.1.2, RFC 7714 section 12, RFC 8723 section 10, RFC 8269 section 5; 3 and 4 are of draft-ietf-avt-dtls-srtp.
The profiles 5 and 6 do not encrypt and have no key.
"""


class SrtpKeys(NamedTuple):
    """The master keys and salts, each of the packets that this side sends."""

    client_key: bytes
    server_key: bytes
    client_salt: bytes
    server_salt: bytes


def split_keys(profile: int, block: bytes) -> SrtpKeys:
    """Return the parts of an exported block of `block_length` bytes."""
    key, salt = LENGTHS[profile]
    second = 2 * key + salt
    return SrtpKeys(block[:key], block[key : 2 * key], block[2 * key : second], block[second : second + salt])


def block_length(profile: int) -> int:
    """Return how many bytes a profile exports. Raises KeyError for a profile that has no keys, or that is not known."""
    return 2 * sum(LENGTHS[profile])


def export12(version: int, prf_hash: str, master: bytes, randoms: bytes, label: bytes, length: int) -> bytes:
    """Export key material up to TLS 1.2, without a context. randoms: the client's, then the server's."""
    return prf(version, prf_hash, master, label, randoms, length)


def export13(hash_name: str, exporter_secret: bytes, label: bytes, length: int, prefix: bytes = TLS) -> bytes:
    """Export key material in TLS 1.3, without a context. prefix: of the labels, which DTLS has its own of."""
    nothing = hash_function(hash_name)(b"").digest()
    secret = derive_secret(hash_name, exporter_secret, label, nothing, prefix)
    return expand_label(hash_name, secret, b"exporter", nothing, length, prefix)
