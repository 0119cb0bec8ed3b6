"""Compressed records: DEFLATE (RFC 3749), under the protection of TLS 1.2 and earlier.

One zlib stream runs through all records of a direction, so a record that is missing or refused ends it for good. A record may
hold 2^14 bytes when it is inflated (RFC 5246, section 6.2.2), which bounds what a few bytes can become.
"""

import zlib

from analyzer.secrets.decryption_error import MALFORMED, MISSING_SEGMENT, DecryptionError

LARGEST_PLAINTEXT = 1 << 14

NULL, DEFLATE = 0, 1
"""The compression methods that were ever registered for use, without LZS (RFC 3943)."""


class Inflater:
    """One direction's compression; to be told of a gap by `lose`."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj()
        self._refusal: tuple[str, str] | None = None

    def inflate(self, fragment: bytes) -> bytes:
        """Inflate what an opener gave; Refused for this record and all after it if that cannot be."""
        if self._refusal is not None:
            raise DecryptionError(*self._refusal)
        try:
            data = self._stream.decompress(fragment, LARGEST_PLAINTEXT + 1)
        except zlib.error as error:
            raise self._refuse(MALFORMED, "the record is no continuation of the zlib stream") from error
        if len(data) > LARGEST_PLAINTEXT or self._stream.unconsumed_tail:
            raise self._refuse(MALFORMED, f"the record inflates to more than {LARGEST_PLAINTEXT} bytes")
        return data

    def lose(self) -> None:
        """Hear that a record of this direction is missing."""
        self._refuse(MISSING_SEGMENT, "the zlib stream went on in a record that is missing")

    def _refuse(self, reason: str, detail: str) -> DecryptionError:
        self._refusal = (reason, detail)
        return DecryptionError(reason, detail)
