"""Decrypts records of block ciphers in CBC mode.

The formats are those of RFC 5246, section 6.2.3.2, RFC 2246, section 6.2.3.2, and RFC 6101, section 5.2.3.2.

Plaintext, MAC and padding are encrypted together. With encrypt-then-MAC (RFC 7366) the MAC is not encrypted. Since TLS 1.1
every record begins with its own initialisation vector. In earlier versions the last block of the previous record is the vector,
so all records form one chain. After a gap in such a chain the first record cannot be checked, because its first block does not
decrypt. The second record can be checked again.

To decrypt a block, only the block of ciphertext before it is needed. So one decryptor object is enough for all records of a
direction. Before TLS 1.1 it follows the chain by itself. Since TLS 1.1 the vector is given to it as one more block, and the
plaintext of that block is ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analyzer.secrets.ciphers import BlockCipher
from analyzer.secrets.decryption_error import MALFORMED, MISSING_SEGMENT, WRONG_SECRET, DecryptionError
from analyzer.secrets.mac import RecordMac
from analyzer.secrets.record_decryptor import LAST_SEQUENCE, Opened, RecordDecryptor

if TYPE_CHECKING:
    import cython

_PADDINGS = [bytes([n]) * (n + 1) for n in range(256)]


class BlockDecryptor(RecordDecryptor):
    """Decrypts one direction of a CBC suite.

    chained: records have no initialisation vector of their own (SSL 3.0, TLS 1.0). loose: padding of SSL 3.0, whose bytes can
    have any value. outside: the MAC is over the ciphertext.
    """

    __slots__ = ("_block", "_chained", "_decryptor", "_iv_here", "_last", "_mac", "_outside", "_ssl3_padding")

    def __init__(
        self, cipher: BlockCipher, key: bytes, iv: bytes, mac: RecordMac, chained: bool, loose: bool, outside: bool
    ) -> None:
        super().__init__()
        self._block = cipher.block
        self._last = iv if chained else bytes(cipher.block)
        self._decryptor = cipher.decryptor(key, self._last)
        self._mac = mac
        self._chained = chained
        self._ssl3_padding = loose
        self._outside = outside
        # Whether open_after_gap could not decrypt a record, but kept its last block as the vector of the next record.
        self._iv_here = False

    def open_at(self, sequence: Any, content_type: cython.int, record_version: cython.int, body: bytes) -> Opened | None:
        """See `RecordDecryptor.open_at`.

        Raises DecryptionError (malformed) if the length of the record is wrong for vector, blocks and MAC.
        """
        opened = self._search(sequence, 0, content_type, record_version, body)
        if opened is None:
            self._rewind()
            return None
        return content_type, opened[1]

    def open_after_gap(
        self, content_type: cython.int, record_version: cython.int, body: bytes, limit: cython.longlong
    ) -> tuple[int, int, bytes]:
        """See `RecordDecryptor.open_after_gap`. The record is decrypted only once.

        If a chained record cannot be checked, its last block is still used as the vector of the next record. Raises
        DecryptionError: missing_segment for the first such record, wrong_secret for the next one.
        """
        found = self._search(self.sequence, limit, content_type, record_version, body)
        if found is not None:
            skipped, plaintext = found
            self.sequence += skipped + 1
            return skipped, content_type, plaintext
        if self._chained and not self._iv_here:
            self._follow(body)
            raise DecryptionError(
                MISSING_SEGMENT, f"the {self._block} bytes before this record, which its first block is chained to"
            )
        if self._chained:
            self._follow(body)
        raise DecryptionError(WRONG_SECRET, f"no MAC agrees for records {self.sequence} to {self.sequence + limit}")

    def _search(
        self, first: Any, limit: cython.longlong, content_type: cython.int, version: cython.int, body: bytes
    ) -> tuple[int, bytes] | None:
        """Find the first sequence number, from `first` on, for which the MAC is correct.

        Returns (distance from `first`, plaintext), or None if no number fits.
        """
        block: cython.Py_ssize_t = self._block
        mac: RecordMac = self._mac
        mac.connection_id = self.connection_id
        head: cython.Py_ssize_t = 0 if self._chained else block
        end: cython.Py_ssize_t = len(body) - (mac.length if self._outside else 0)
        least = 1 if self._outside else mac.length + 1
        if end - head < least or end % block:
            raise DecryptionError(MALFORMED, f"a record of {len(body)} bytes is no vector, whole blocks of {block} and MAC")
        sequences: Any = (first,) if limit == 0 else range(first, min(first + limit, LAST_SEQUENCE) + 1)
        if self._outside:
            ciphertext, expected = body[:end], body[end:]
            sequence = self._matching_sequence(sequences, content_type, version, ciphertext, expected)
            if sequence is None:
                return None
            padded: bytes = self._decryptor.update(ciphertext)
            stop: cython.Py_ssize_t = self._unpad(padded, head)
            plaintext = padded[head:stop] if stop >= 0 else b""
        else:
            padded = self._decryptor.update(body)
            stop = self._unpad(padded, head + mac.length)
            if stop < 0:
                return None
            plaintext = padded[head : stop - mac.length]
            sequence = self._matching_sequence(sequences, content_type, version, plaintext, padded[stop - mac.length : stop])
        if sequence is None or stop < 0:
            return None
        self._last = body[end - block : end]
        self._iv_here = False
        return sequence - first, plaintext

    def _matching_sequence(
        self, sequences: Any, content_type: cython.int, version: cython.int, data: bytes, expected: bytes
    ) -> Any:
        """Return the first of the sequence numbers for which the MAC is correct, else None."""
        mac: RecordMac = self._mac
        for sequence in sequences:
            if mac.compute(sequence, content_type, version, data) == expected:
                return sequence
        return None

    def _unpad(self, padded: bytes, least: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Return the offset of the padding, which is `least` or more; -1 if the padding is not valid."""
        n_padding: cython.int = padded[len(padded) - 1]
        start: cython.Py_ssize_t = len(padded) - n_padding - 1
        if start < least:
            return -1
        if self._ssl3_padding:
            return start if n_padding < self._block else -1
        return start if padded.endswith(_PADDINGS[n_padding]) else -1

    def _rewind(self) -> None:
        """Reset the decryptor to its state before a record that was not decrypted."""
        if self._chained:
            self._decryptor.update(self._last)

    def _follow(self, body: bytes) -> None:
        """Skip a record: its last block becomes the vector of the next record."""
        end = len(body) - (self._mac.length if self._outside else 0)
        self._last = body[end - self._block : end]
        self._decryptor.update(self._last)
        self._iv_here = True
