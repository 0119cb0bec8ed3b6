"""Records under an AEAD, in TLS 1.2 (RFC 5246, section 6.2.3.3) and TLS 1.3 (RFC 9846, section 5.2).

The nonce joins a secret part with a number. With AES in TLS 1.2 the number stands in the record and may be anything that does
not come twice; elsewhere it is the sequence number, XORed into the secret part. TLS 1.2 has the sequence number in the
associated data too, TLS 1.3 only the record's header. In TLS 1.3 the true content type follows the plaintext, and zeros as
padding follow that.
"""

from struct import Struct
from typing import Any

import cython

from analyzer.secrets.ciphers import Aead, AeadKind, InvalidTag
from analyzer.secrets.decryption_error import MALFORMED, WRONG_SECRET, DecryptionError
from analyzer.secrets.key_schedule13 import IV_LENGTH, finished, next_traffic_secret, traffic_keys
from analyzer.secrets.record_decryptor import LAST_SEQUENCE, Opened, RecordDecryptor
from analyzer.secrets.suite_interface import hash_sizes

HEADER_AUTHENTICATED_SINCE = 25
"""The draft of TLS 1.3 whose associated data was no longer empty."""

FARTHEST_JUMP = 1 << 32
"""How far ahead the explicit nonce may send the sequence number: farther than any gap, and far from the last number."""

_APPLICATION_DATA = 23
_AAD12 = Struct(">QBHH")
_AAD13 = Struct(">BHH")


class ExplicitNonceDecryptor(RecordDecryptor):
    """AES-GCM and AES-CCM in TLS 1.2 (RFC 5288, RFC 6655): the record begins with 8 bytes of the nonce."""

    __slots__ = ("_aead", "_explicit", "_last", "_overhead", "_salt")

    def __init__(self, kind: AeadKind, key: bytes, salt: bytes) -> None:
        super().__init__()
        self._aead: Aead = kind.build(key)
        self._salt = salt
        self._explicit = kind.explicit
        self._overhead = kind.explicit + kind.tag
        # The explicit part of the nonce of the record before, and that record's number.
        self._last = (0, -1)

    def open_at(self, sequence: Any, content_type: cython.int, record_version: cython.int, body: bytes) -> Opened | None:
        """As in the class above."""
        explicit = self._explicit
        n_bytes: cython.Py_ssize_t = len(body) - self._overhead
        if n_bytes < 0:
            raise DecryptionError(MALFORMED, f"a record of {len(body)} bytes has no room for nonce and tag")
        nonce = body[:explicit]
        aad = _AAD12.pack(sequence, content_type, record_version, n_bytes)
        try:
            plaintext = self._aead.decrypt(self._salt + nonce, body[explicit:], aad)
        except InvalidTag:
            return None
        self._last = (int.from_bytes(nonce, "big"), sequence)
        return content_type, plaintext

    def open_after_gap(
        self, content_type: cython.int, record_version: cython.int, body: bytes, limit: cython.longlong
    ) -> tuple[int, int, bytes]:
        """As in the class above; but a gap may be longer than `limit` where the sender counts in the explicit nonce.

        Nearly all do, so the number that it suggests is tried first.
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
    """ChaCha20-Poly1305 in TLS 1.2 (RFC 7905), and its form before the RFC, whose nonce is the sequence number alone."""

    __slots__ = ("_aead", "_iv", "_nonce_length", "_tag")

    def __init__(self, kind: AeadKind, key: bytes, iv: bytes) -> None:
        super().__init__()
        self._aead: Aead = kind.build(key)
        self._iv = int.from_bytes(iv, "big")
        self._nonce_length = len(iv) or 8
        self._tag = kind.tag

    def open_at(self, sequence: Any, content_type: cython.int, record_version: cython.int, body: bytes) -> Opened | None:
        """As in the class above."""
        n_bytes: cython.Py_ssize_t = len(body) - self._tag
        if n_bytes < 0:
            raise DecryptionError(MALFORMED, f"a record of {len(body)} bytes has no room for a tag")
        nonce = (self._iv ^ sequence).to_bytes(self._nonce_length, "big")
        try:
            plaintext = self._aead.decrypt(nonce, body, _AAD12.pack(sequence, content_type, record_version, n_bytes))
        except InvalidTag:
            return None
        return content_type, plaintext


class Tls13Decryptor(RecordDecryptor):
    """Every suite of TLS 1.3, from a traffic secret on."""

    __slots__ = ("_aead", "_draft", "_hash", "_header_counts", "_iv", "_kind", "_prefix", "_secret", "_tag")

    def __init__(self, kind: AeadKind, hash_name: str, traffic_secret: bytes, prefix: bytes, draft: int = 0) -> None:
        """draft: 0 for the RFC. Refused where the secret is not as long as the suite's hash."""
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
        self._aead: Aead | None = None  # until a record comes: many secrets of a key log open none
        self._iv = 0

    def _key(self) -> None:
        """Derive the keys."""
        key, iv = traffic_keys(self._hash, self._secret, self._kind.key, self._prefix)
        self._aead = self._kind.build(key)
        self._iv = int.from_bytes(iv, "big")

    def open_at(self, sequence: Any, content_type: cython.int, record_version: cython.int, body: bytes) -> Opened | None:
        """As in the class above; the content type is the inner one, and the padding is gone."""
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
        except InvalidTag:
            return None
        last: cython.Py_ssize_t = len(inner) - 1
        if inner[last] == 0:
            inner = inner.rstrip(b"\0")
            if not inner:
                raise DecryptionError(MALFORMED, f"record {sequence} of this direction is all padding, with no content type")
            last = len(inner) - 1
        return inner[last], inner[:last]

    def update(self) -> None:
        """Go on with the next traffic secret, whose records are numbered from 0 (RFC 9846, section 7.2)."""
        self._secret = next_traffic_secret(self._hash, self._secret, self._prefix)
        self._aead = None
        self.sequence = 0

    def verify_data(self, transcript_hash: bytes) -> bytes:
        """The Finished that this secret makes, of the handshake or of a later authentication (RFC 9846, section 4.5.4)."""
        return finished(self._hash, self._secret, transcript_hash, self._prefix)

    def next_generation(self) -> "Tls13Decryptor":
        """Give an opener with the next traffic secret and leave this one: to try whether a KeyUpdate lies in a gap."""
        following = Tls13Decryptor(self._kind, self._hash, self._secret, self._prefix, self._draft)
        following.update()
        return following
