"""Decrypts records of stream ciphers (RC4) and of suites without encryption (RFC 5246, section 6.2.3.1).

A record is plaintext and MAC, encrypted with one continuous key stream. With RC4, the position in the key stream is permanently
lost after a gap. Without a cipher there is still a MAC, and it is checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.secrets.decryption_error import MALFORMED, MISSING_SEGMENT, DecryptionError
from analyzer.secrets.mac import RecordMac
from analyzer.secrets.record_decryptor import Opened, RecordDecryptor

if TYPE_CHECKING:
    import cython
    from cryptography.hazmat.primitives.ciphers import CipherContext


class StreamDecryptor(RecordDecryptor):
    """Decrypts one direction; `key_stream` is None for a NULL cipher."""

    __slots__ = ("_key_stream", "_last_failed", "_mac")

    def __init__(self, key_stream: CipherContext | None, mac: RecordMac) -> None:
        super().__init__()
        self._key_stream = key_stream
        self._mac = mac
        # A record with a wrong MAC has already used its part of the key stream: (ciphertext, decrypted), kept for a second try.
        self._last_failed = (b"", b"")

    def open_at(self, sequence: Any, content_type: cython.int, record_version: cython.int, body: bytes) -> Opened | None:
        """See `RecordDecryptor.open_at`. Raises DecryptionError (malformed) if the record is too short for a MAC."""
        start = len(body) - self._mac.length
        if start < 0:
            raise DecryptionError(MALFORMED, f"a record of {len(body)} bytes has no room for a MAC")
        decrypted = self._decrypt(body)
        self._mac.connection_id = self.connection_id
        plaintext = decrypted[:start]
        if self._mac.compute(sequence, content_type, record_version, plaintext) != decrypted[start:]:
            self._last_failed = (body, decrypted)
            return None
        self._last_failed = (b"", b"")
        return content_type, plaintext

    def open_after_gap(
        self, content_type: cython.int, record_version: cython.int, body: bytes, limit: cython.longlong
    ) -> tuple[int, int, bytes]:
        """See `RecordDecryptor.open_after_gap`.

        With RC4 this works only if no bytes are missing and just the content of one record before was changed. Otherwise raises
        DecryptionError (missing_segment).
        """
        try:
            return RecordDecryptor.open_after_gap(self, content_type, record_version, body, limit)
        except DecryptionError as error:
            if self._key_stream is None or error.reason == MALFORMED:
                raise
            raise DecryptionError(
                MISSING_SEGMENT, "the place in RC4's key stream is lost with the bytes before this record"
            ) from error

    def _decrypt(self, body: bytes) -> bytes:
        if self._key_stream is None:
            return body
        if body and body == self._last_failed[0]:
            return self._last_failed[1]
        return self._key_stream.update(body)
