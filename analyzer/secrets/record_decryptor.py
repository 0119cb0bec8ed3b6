"""Defines the base class of all record decryptors, which decrypt one direction of a connection.

The protection of a record covers its sequence number, which is not sent. A reader that missed records does not know the number
any more. `open` takes records in order. After a gap `open_after_gap` tries the following numbers until the tag or MAC is
correct, so it also finds how many records were lost. Plaintext is returned only if a tag or MAC confirmed it. No exception
other than `DecryptionError` is raised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.secrets.decryption_error import WRONG_SECRET, DecryptionError

if TYPE_CHECKING:
    import cython

Opened = tuple[int, bytes]
"""(inner content type, plaintext)."""

LAST_SEQUENCE = (1 << 64) - 1
"""The last sequence number that TLS allows."""


class RecordDecryptor:
    """Decrypts one direction.

    sequence: number of the next record. connection_id: of records of the type tls12_cid (RFC 9146), which authenticate it.
    """

    __slots__ = ("connection_id", "sequence")

    def __init__(self) -> None:
        self.sequence = 0
        self.connection_id = b""

    def open(self, content_type: cython.int, record_version: cython.int, body: bytes) -> Opened:
        """Decrypt the next record; `body` is the record without its header.

        Up to TLS 1.2 the returned inner content type is the one of the header. Raises DecryptionError, and then the record
        decryptor is unchanged.
        """
        opened = self.open_at(self.sequence, content_type, record_version, body)
        if opened is None:
            raise DecryptionError(WRONG_SECRET, f"the tag or MAC of record {self.sequence} of this direction does not agree")
        self.sequence += 1
        return opened

    def open_after_gap(
        self, content_type: cython.int, record_version: cython.int, body: bytes, limit: cython.longlong
    ) -> tuple[int, int, bytes]:
        """Decrypt a record after a gap of at most `limit` records.

        Returns (number of skipped records, inner content type, plaintext). The sequence then continues after this record. If no
        number fits, DecryptionError is raised and the sequence is unchanged. The record then counts as one of those that the
        next call can skip.
        """
        for sequence in range(self.sequence, min(self.sequence + limit, LAST_SEQUENCE) + 1):
            opened = self.open_at(sequence, content_type, record_version, body)
            if opened is not None:
                skipped = sequence - self.sequence
                self.sequence = sequence + 1
                return skipped, opened[0], opened[1]
        raise DecryptionError(WRONG_SECRET, f"no tag or MAC agrees for records {self.sequence} to {self.sequence + limit}")

    def open_at(self, sequence: Any, content_type: cython.int, record_version: cython.int, body: bytes) -> Opened | None:
        """Decrypt the record that has this number, without counting it. Returns None if the tag or MAC is not correct."""
        raise DecryptionError(WRONG_SECRET, "a record decryptor without keys")

    def update(self) -> None:
        """Switch to the keys that follow a KeyUpdate.

        Only TLS 1.3 has this; else DecryptionError (wrong_secret) is raised.
        """
        raise DecryptionError(WRONG_SECRET, "keys are updated only in TLS 1.3")
