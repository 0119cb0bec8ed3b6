"""What opens the records of one direction of a connection, whatever the cipher.

A record's protection covers its sequence number, which is not on the wire: who misses records has lost the count. `open`
takes records in order. After a gap `open_after_gap` tries the numbers that follow until the tag or MAC agrees, and so finds
out how many records were lost. Nothing is given out that no tag or MAC confirmed, and nothing but `DecryptionError` is
raised. This module is compiled (see setup.cfg) and runs the same uncompiled, and so do those of all openers.
"""

from typing import Any

import cython

from analyzer.secrets.decryption_error import WRONG_SECRET, DecryptionError

Opened = tuple[int, bytes]
"""(inner content type, plaintext)."""

LAST_SEQUENCE = (1 << 64) - 1
"""The last sequence number that TLS has."""


class RecordDecryptor:
    """One direction; `sequence`: number of the record that comes next."""

    __slots__ = ("sequence",)

    def __init__(self) -> None:
        self.sequence = 0

    def open(self, content_type: cython.int, record_version: cython.int, body: bytes) -> Opened:
        """Open the next record; `body` is what follows its header.

        The inner content type is that of the header up to TLS 1.2. A Refused leaves the opener as it was.
        """
        opened = self.open_at(self.sequence, content_type, record_version, body)
        if opened is None:
            raise DecryptionError(WRONG_SECRET, f"the tag or MAC of record {self.sequence} of this direction does not agree")
        self.sequence += 1
        return opened

    def open_after_gap(
        self, content_type: cython.int, record_version: cython.int, body: bytes, limit: cython.longlong
    ) -> tuple[int, int, bytes]:
        """Open a record after a gap of at most `limit` records.

        Returns (records that were skipped, inner content type, plaintext); the sequence goes on behind the record. If none of
        the numbers fits, Refused, and the sequence is as before: the record itself then counts among those that the next call
        may skip.
        """
        for sequence in range(self.sequence, min(self.sequence + limit, LAST_SEQUENCE) + 1):
            opened = self.open_at(sequence, content_type, record_version, body)
            if opened is not None:
                skipped = sequence - self.sequence
                self.sequence = sequence + 1
                return skipped, opened[0], opened[1]
        raise DecryptionError(WRONG_SECRET, f"no tag or MAC agrees for records {self.sequence} to {self.sequence + limit}")

    def open_at(self, sequence: Any, content_type: cython.int, record_version: cython.int, body: bytes) -> Opened | None:
        """Open the record that has this number, and count nothing; None where the tag or MAC does not agree."""
        raise DecryptionError(WRONG_SECRET, "an opener without keys")

    def update(self) -> None:
        """Go on with the keys that follow a KeyUpdate; only TLS 1.3 has that."""
        raise DecryptionError(WRONG_SECRET, "keys are updated only in TLS 1.3")
