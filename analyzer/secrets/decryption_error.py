"""Defines one exception for everything that could not be decrypted, with a reason from a closed set.

A passive reader of ciphertext has a result only if the tag or the MAC confirms it. Otherwise it reports which of a few causes
applies. The texts contain sizes, cipher names and labels. They never contain a secret or decrypted bytes.
"""

WRONG_SECRET = "wrong_secret"  # noqa: S105 - the name of a reason
"""The tag, MAC or padding is not correct: wrong secret, changed bytes, or another sequence number."""

UNSUPPORTED_CIPHER = "unsupported_cipher"
"""The installed libraries do not have the cipher or the hash."""

MALFORMED = "malformed"
"""The bytes cannot be decrypted in any way: too short, not a whole number of blocks, or no content type."""

MISSING_SEGMENT = "missing_segment"
"""Bytes that the cipher needs are in a gap: the last block before this record, or a part of the key stream."""

REASONS = frozenset({WRONG_SECRET, UNSUPPORTED_CIPHER, MALFORMED, MISSING_SEGMENT})


class DecryptionError(Exception):
    """Says why something could not be decrypted.

    `reason`: one of `REASONS`. `detail`: what was seen, as text for the user.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"
