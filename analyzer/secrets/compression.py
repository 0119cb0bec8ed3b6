"""Decompresses records: DEFLATE (RFC 3749), which TLS 1.2 and earlier apply before the protection of the record.

One zlib stream runs through all records of a direction. So if one record is missing or cannot be inflated, none of the later
records can be inflated. An inflated record has at most 2^14 bytes (RFC 5246, section 6.2.2). This limit also protects against
small records that inflate to a very large size.
"""

import zlib

from analyzer.secrets.decryption_error import MALFORMED, MISSING_SEGMENT, DecryptionError

LARGEST_PLAINTEXT = 1 << 14

NULL, DEFLATE = 0, 1
"""The compression methods that are registered for TLS, except LZS (RFC 3943)."""


class Inflater:
    """Inflates the records of one direction; the caller reports a gap with `lose`."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj()
        self._error: tuple[str, str] | None = None

    def inflate(self, fragment: bytes) -> bytes:
        """Inflate a decrypted record.

        Raises DecryptionError if this is not possible, and then for every later record too: malformed for bad or too much data,
        missing_segment after `lose`.
        """
        if self._error is not None:
            raise DecryptionError(*self._error)
        try:
            data = self._stream.decompress(fragment, LARGEST_PLAINTEXT + 1)
        except zlib.error as error:
            raise self._fail(MALFORMED, "the record is no continuation of the zlib stream") from error
        if len(data) > LARGEST_PLAINTEXT or self._stream.unconsumed_tail:
            raise self._fail(MALFORMED, f"the record inflates to more than {LARGEST_PLAINTEXT} bytes")
        return data

    def lose(self) -> None:
        """Note that a record of this direction is missing.

        Every later call of `inflate` then raises DecryptionError (missing_segment).
        """
        self._fail(MISSING_SEGMENT, "the zlib stream went on in a record that is missing")

    def _fail(self, reason: str, detail: str) -> DecryptionError:
        self._error = (reason, detail)
        return DecryptionError(reason, detail)
