"""Decrypts records that an AEAD protects, in TLS 1.2 (RFC 5246, section 6.2.3.3) and TLS 1.3 (RFC 9846, section 5.2).

The nonce combines a secret part and a number. With AES in TLS 1.2 the record contains this number; it can have any value that
the sender uses only once. In all other cases the number is the sequence number, and it is XORed into the secret part. In TLS
1.2 the associated data also contains the sequence number; in TLS 1.3 it is only the header of the record. In TLS 1.3 the real
content type follows the plaintext, and padding of zero bytes follows the content type.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any

from analyzer.secrets.ciphers import Aead, AeadKind, invalid_tag
from analyzer.secrets.decryption_error import MALFORMED, WRONG_SECRET, DecryptionError
from analyzer.secrets.key_schedule13 import IV_LENGTH, finished, next_traffic_secret, traffic_keys
from analyzer.secrets.record_decryptor import LAST_SEQUENCE, Opened, RecordDecryptor
from analyzer.secrets.record_id_header import TLS12_CID, connection_id_header
from analyzer.secrets.suite_interface import hash_sizes

if TYPE_CHECKING:
    import cython

HEADER_AUTHENTICATED_SINCE = 25
"""The first draft of TLS 1.3 in which the associated data is not empty."""

FARTHEST_JUMP = 1 << 32
"""The largest step that the explicit nonce can suggest for the sequence number.

It is larger than any real gap, and small compared with the last sequence number.
"""

_APPLICATION_DATA = 23
_AAD12 = Struct(">QBHH")
_AAD13 = Struct(">BHH")


class ExplicitNonceDecryptor(RecordDecryptor):
    """Decrypts AES-GCM and AES-CCM records of TLS 1.2 (RFC 5288, RFC 6655). The record begins with 8 bytes of the nonce."""

    __slots__ = ("_aead", "_explicit", "_last", "_overhead", "_salt")

    def __init__(self, kind: AeadKind, key: bytes, salt: bytes) -> None:
        super().__init__()
        self._aead: Aead = kind.build(key)
        self._salt = salt
        self._explicit = kind.explicit
        self._overhead = kind.explicit + kind.tag
        # The explicit nonce and the sequence number of the last record that was decrypted.
        self._last = (0, -1)

    def open_at(self, sequence: Any, content_type: cython.int, record_version: cython.int, body: bytes) -> Opened | None:
        """See `RecordDecryptor.open_at`.

        Raises DecryptionError (malformed) if the record is too short for the nonce and the tag.
        """
        explicit = self._explicit
        n_bytes: cython.Py_ssize_t = len(body) - self._overhead
        if n_bytes < 0:
            raise DecryptionError(MALFORMED, f"a record of {len(body)} bytes has no room for nonce and tag")
        nonce = body[:explicit]
        if content_type == TLS12_CID:
            aad = connection_id_header(sequence, record_version, self.connection_id, n_bytes)
        else:
            aad = _AAD12.pack(sequence, content_type, record_version, n_bytes)
        try:
            plaintext = self._aead.decrypt(self._salt + nonce, body[explicit:], aad)
        except invalid_tag():
            return None
        self._last = (int.from_bytes(nonce, "big"), sequence)
        return content_type, plaintext

    def open_after_gap(
        self, content_type: cython.int, record_version: cython.int, body: bytes, limit: cython.longlong
    ) -> tuple[int, int, bytes]:
        """See `RecordDecryptor.open_after_gap`.

        A gap can be longer than `limit` if the sender uses a counter as explicit nonce.

        Nearly all senders do so. Therefore the sequence number that the nonce suggests is tried first.
        """
        nonce, sequence = self._last
        suggested = sequence + int.from_bytes(body[: self._explicit], "big") - nonce
        if self.sequence <= suggested <= min(self.sequence + FARTHEST_JUMP, LAST_SEQUENCE):
            opened = self.open_at(suggested, content_type, record_version, body)
            if opened is not None:
                skipped = suggested - self.sequence
                self.sequence = suggested + 1
                return skipped, opened[0], opened[1]
        return RecordDecryptor.open_after_gap(self, content_type, record_version, body, limit)


class ImplicitNonceDecryptor(RecordDecryptor):
    """Decrypts ChaCha20-Poly1305 records of TLS 1.2 (RFC 7905).

    It also decrypts the form used before the RFC, in which the nonce is only the sequence number.
    """

    __slots__ = ("_aead", "_iv", "_nonce_length", "_tag")

    def __init__(self, kind: AeadKind, key: bytes, iv: bytes) -> None:
        super().__init__()
        self._aead: Aead = kind.build(key)
        self._iv = int.from_bytes(iv, "big")
        self._nonce_length = len(iv) or 8
        self._tag = kind.tag

    def open_at(self, sequence: Any, content_type: cython.int, record_version: cython.int, body: bytes) -> Opened | None:
        """See `RecordDecryptor.open_at`.

        Raises DecryptionError (malformed) if the record is too short for the tag.
        """
        n_bytes: cython.Py_ssize_t = len(body) - self._tag
        if n_bytes < 0:
            raise DecryptionError(MALFORMED, f"a record of {len(body)} bytes has no room for a tag")
        nonce = (self._iv ^ sequence).to_bytes(self._nonce_length, "big")
        if content_type == TLS12_CID:
            aad = connection_id_header(sequence, record_version, self.connection_id, n_bytes)
        else:
            aad = _AAD12.pack(sequence, content_type, record_version, n_bytes)
        try:
            plaintext = self._aead.decrypt(nonce, body, aad)
        except invalid_tag():
            return None
        return content_type, plaintext


class Tls13Decryptor(RecordDecryptor):
    """Decrypts the records of every TLS 1.3 cipher suite, given a traffic secret."""

    __slots__ = ("_aead", "_draft", "_hash", "_header_counts", "_iv", "_kind", "_prefix", "_secret", "_tag")

    def __init__(self, kind: AeadKind, hash_name: str, traffic_secret: bytes, prefix: bytes, draft: int = 0) -> None:
        """draft: 0 for the RFC.

        Raises DecryptionError (wrong_secret) if the secret is not as long as the hash of the suite.
        """
        super().__init__()
        n_bytes = hash_sizes(hash_name)[1]
        if len(traffic_secret) != n_bytes:
            raise DecryptionError(
                WRONG_SECRET, f"a traffic secret of {len(traffic_secret)} bytes, not the {n_bytes} of the suite's hash"
            )
        self._kind = kind
        self._tag = kind.tag
        self._hash = hash_name
        self._prefix = prefix
        self._draft = draft
        self._header_counts = not 0 < draft < HEADER_AUTHENTICATED_SINCE
        self._secret = traffic_secret
        self._aead: Aead | None = None  # derived with the first record: many secrets of a key log are never used
        self._iv = 0

    def _key(self) -> None:
        """Derive the key and the initialisation vector from the traffic secret."""
        key, iv = traffic_keys(self._hash, self._secret, self._kind.key, self._prefix)
        self._aead = self._kind.build(key)
        self._iv = int.from_bytes(iv, "big")

    def open_at(self, sequence: Any, content_type: cython.int, record_version: cython.int, body: bytes) -> Opened | None:
        """See `RecordDecryptor.open_at`. The returned content type is the inner one, and the padding is removed.

        Raises DecryptionError (malformed) if the outer content type is not application_data, if the record is too short for a
        content type and a tag, or if it contains only padding.
        """
        n_bytes: cython.Py_ssize_t = len(body)
        if content_type != _APPLICATION_DATA:
            raise DecryptionError(MALFORMED, f"no protected record has the content type {content_type}")
        if n_bytes <= self._tag:
            raise DecryptionError(MALFORMED, f"a record of {n_bytes} bytes has no room for a content type and a tag")
        aad = _AAD13.pack(content_type, record_version, n_bytes) if self._header_counts else b""
        if self._aead is None:
            self._key()
        try:
            inner: bytes = self._aead.decrypt(  # type: ignore[union-attr]
                (self._iv ^ sequence).to_bytes(IV_LENGTH, "big"), body, aad
            )
        except invalid_tag():
            return None
        last: cython.Py_ssize_t = len(inner) - 1
        if inner[last] == 0:
            inner = inner.rstrip(b"\0")
            if not inner:
                raise DecryptionError(MALFORMED, f"record {sequence} of this direction is all padding, with no content type")
            last = len(inner) - 1
        return inner[last], inner[:last]

    def traffic_secret(self) -> bytes:
        """Return the traffic secret in use."""
        return self._secret

    def update(self) -> None:
        """Switch to the next traffic secret. Its records are numbered from 0 (RFC 9846, section 7.2)."""
        self._secret = next_traffic_secret(self._hash, self._secret, self._prefix)
        self._aead = None
        self.sequence = 0

    def verify_data(self, transcript_hash: bytes) -> bytes:
        """Return the verify_data of the Finished message that this secret makes.

        It is the Finished of the handshake or of a later authentication (RFC 9846, section 4.5.3).
        """
        return finished(self._hash, self._secret, transcript_hash, self._prefix)

    def next_generation(self) -> Tls13Decryptor:
        """Return a new record decryptor with the next traffic secret, and do not change this one.

        The caller uses it to test whether a KeyUpdate is in a gap.
        """
        following = Tls13Decryptor(self._kind, self._hash, self._secret, self._prefix, self._draft)
        following.update()
        return following
