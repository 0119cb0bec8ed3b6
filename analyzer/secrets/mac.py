"""Computes the MAC of records that no AEAD protects (RFC 5246, section 6.2.3.1; RFC 6101, section 5.2.3.1).

It covers the sequence number, which is not in the record, then type, version and length, then the data. TLS uses HMAC. SSL 3.0
also has an inner and an outer hash, with paddings, but it does not cover the version. In both cases each hash begins with bytes
that depend only on the key. These are hashed once, and the hash state is copied for every record.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any

from analyzer.secrets.key_schedule import SSL_3_0, hmac_keys, tls_version
from analyzer.secrets.record_id_header import TLS12_CID, connection_id_header
from analyzer.secrets.suite_interface import hash_function

if TYPE_CHECKING:
    import cython

TRUNCATED = 10
"""Length in bytes of a MAC that is truncated by the extension truncated_hmac (RFC 6066, section 7)."""

_HEADER = Struct(">QBHH")
_HEADER_SSL3 = Struct(">QBH")
# Length of the paddings of SSL 3.0, which fill the block after the key (not exactly).
_SSL3_PADS = {"MD5": 48, "SHA": 40}


class RecordMac:
    """The MAC of one direction; `length`: number of its bytes in a record. connection_id: see `RecordDecryptor`."""

    __slots__ = ("_inner", "_outer", "_ssl3", "connection_id", "length")

    def __init__(self, version: int, hash_name: str, key: bytes, truncated: bool = False) -> None:
        """Set the key. Raises DecryptionError (unsupported_cipher) if Python does not have the hash."""
        hashed = hash_function(hash_name)
        self._ssl3 = tls_version(version) <= SSL_3_0
        if self._ssl3:
            n_padding = _SSL3_PADS.get(hash_name, 40)
            inner, outer = key + b"\x36" * n_padding, key + b"\x5c" * n_padding
        else:
            inner, outer = hmac_keys(hashed, key)
        self._inner = hashed(inner)
        self._outer = hashed(outer)
        self.connection_id = b""
        self.length = TRUNCATED if truncated else self._inner.digest_size

    def compute(self, sequence: Any, content_type: cython.int, record_version: cython.int, data: bytes) -> bytes:
        """Return the MAC of `data`, which has at most 65,535 bytes."""
        inner = self._inner.copy()
        if self._ssl3:
            inner.update(_HEADER_SSL3.pack(sequence, content_type, len(data)))
        elif content_type == TLS12_CID:
            inner.update(connection_id_header(sequence, record_version, self.connection_id, len(data)))
        else:
            inner.update(_HEADER.pack(sequence, content_type, record_version, len(data)))
        inner.update(data)
        outer = self._outer.copy()
        outer.update(inner.digest())
        digest: bytes = outer.digest()
        return digest if len(digest) == self.length else digest[: self.length]
