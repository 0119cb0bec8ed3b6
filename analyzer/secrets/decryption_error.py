"""Why something did not open, as one exception with a reason out of a closed set.

A passive reader of ciphertext either has the tag or the MAC confirm what it read, or has nothing. What it then needs to tell is
which of a few causes it was. The texts name sizes, ciphers and labels, and never a secret or what was decrypted.
"""

WRONG_SECRET = "wrong_secret"  # noqa: S105 - the name of a reason
"""The tag, MAC or padding does not agree: another secret, other bytes than were sent, or another sequence number."""

UNSUPPORTED_CIPHER = "unsupported_cipher"
"""No kept library has the cipher or the hash."""

MALFORMED = "malformed"
"""The bytes have no form in which they could be opened: too short, no whole number of blocks, no content type."""

MISSING_SEGMENT = "missing_segment"
"""What the cipher chains on lies in a gap: the last block before this record, or a part of the key stream."""

REASONS = frozenset({WRONG_SECRET, UNSUPPORTED_CIPHER, MALFORMED, MISSING_SEGMENT})


class DecryptionError(Exception):
    """`reason`: one of `REASONS`. `detail`: what was seen, for people."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"
