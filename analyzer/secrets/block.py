"""Records of block ciphers in CBC mode (RFC 5246, section 6.2.3.2; RFC 2246, section 6.2.3.2; RFC 6101, section 5.2.3.2).

Plaintext, MAC and padding are encrypted as one; with encrypt-then-MAC (RFC 7366) the MAC is outside. Since TLS 1.1 every record
begins with its own initialisation vector. Before, the last block of the record before took that part, which makes all records
one chain: after a gap the first record cannot be confirmed, since its first block does not decrypt, and the second can.

Decrypting a block needs the block of ciphertext before it and nothing else. So one decryptor serves all records of a direction:
before TLS 1.1 it follows the chain by itself, and since then the vector is fed to it as a block whose plaintext means nothing.
"""

from analyzer.secrets.ciphers import BlockCipher
from analyzer.secrets.mac import RecordMac
from analyzer.secrets.opener import LAST_SEQUENCE, Opened, Opener
from analyzer.secrets.refused import MALFORMED, MISSING_SEGMENT, WRONG_SECRET, Refused

_PADDINGS = [bytes([n]) * (n + 1) for n in range(256)]


class BlockOpener(Opener):
    """One direction of a CBC suite.

    chained: records have no initialisation vector of their own (SSL 3.0, TLS 1.0). loose: padding of SSL 3.0, whose bytes mean
    nothing. outside: the MAC is over the ciphertext.
    """

    __slots__ = ("_block", "_chained", "_decryptor", "_iv_here", "_last", "_loose", "_mac", "_outside")

    def __init__(
        self, cipher: BlockCipher, key: bytes, iv: bytes, mac: RecordMac, chained: bool, loose: bool, outside: bool
    ) -> None:
        super().__init__()
        self._block = cipher.block
        self._last = iv if chained else bytes(cipher.block)
        self._decryptor = cipher.decryptor(key, self._last)
        self._mac = mac
        self._chained = chained
        self._loose = loose
        self._outside = outside
        # Whether a record given up by open_ahead left the vector of the next one.
        self._iv_here = False

    def open_at(self, sequence: int, content_type: int, record_version: int, body: bytes) -> Opened | None:
        """As in the class above."""
        opened = self._search(sequence, 0, content_type, record_version, body)
        if opened is None:
            self._rewind()
            return None
        return content_type, opened[1]

    def open_ahead(self, content_type: int, record_version: int, body: bytes, limit: int) -> tuple[int, int, bytes]:
        """As in the class above; the record is decrypted once.

        A chained record that cannot be confirmed still gives the vector of the next: missing_segment if it was the first of
        that kind.
        """
        found = self._search(self.sequence, limit, content_type, record_version, body)
        if found is not None:
            skipped, plaintext = found
            self.sequence += skipped + 1
            return skipped, content_type, plaintext
        if self._chained and not self._iv_here:
            self._follow(body)
            raise Refused(MISSING_SEGMENT, f"the {self._block} bytes before this record, which its first block is chained to")
        if self._chained:
            self._follow(body)
        raise Refused(WRONG_SECRET, f"no MAC agrees for records {self.sequence} to {self.sequence + limit}")

    def _search(self, first: int, limit: int, content_type: int, version: int, body: bytes) -> tuple[int, bytes] | None:
        """Find the number, from `first` on, that the MAC agrees with: how far it is, and the plaintext."""
        block, mac = self._block, self._mac
        head = 0 if self._chained else block
        end = len(body) - (mac.length if self._outside else 0)
        least = 1 if self._outside else mac.length + 1
        if end - head < least or end % block:
            raise Refused(MALFORMED, f"a record of {len(body)} bytes is no vector, whole blocks of {block} and MAC")
        sequences = range(first, min(first + limit, LAST_SEQUENCE) + 1)
        if self._outside:
            ciphertext, expected = body[:end], body[end:]
            sequence = self._agreeing(sequences, content_type, version, ciphertext, expected)
            if sequence is None:
                return None
            padded = self._decryptor.update(ciphertext)
            stop = self._unpad(padded, head)
            plaintext = padded[head:stop] if stop is not None else b""
        else:
            padded = self._decryptor.update(body)
            stop = self._unpad(padded, head + mac.length)
            if stop is None:
                return None
            plaintext = padded[head : stop - mac.length]
            sequence = self._agreeing(sequences, content_type, version, plaintext, padded[stop - mac.length : stop])
        if sequence is None or stop is None:
            return None
        self._last = body[end - block : end]
        self._iv_here = False
        return sequence - first, plaintext

    def _agreeing(self, sequences: range, content_type: int, version: int, data: bytes, expected: bytes) -> int | None:
        compute = self._mac.compute
        for sequence in sequences:
            if compute(sequence, content_type, version, data) == expected:
                return sequence
        return None

    def _unpad(self, padded: bytes, least: int) -> int | None:
        """Give where the padding begins, `least` or later; None where there is none."""
        n_padding = padded[-1]
        start = len(padded) - n_padding - 1
        if start < least:
            return None
        if self._loose:
            return start if n_padding < self._block else None
        return start if padded.endswith(_PADDINGS[n_padding]) else None

    def _rewind(self) -> None:
        """Have the decryptor stand where it stood before a record that was refused."""
        if self._chained:
            self._decryptor.update(self._last)

    def _follow(self, body: bytes) -> None:
        """Leave a record behind: its last block is the vector of the next."""
        end = len(body) - (self._mac.length if self._outside else 0)
        self._last = body[end - self._block : end]
        self._decryptor.update(self._last)
        self._iv_here = True
