"""External pre-shared keys as a file: what two peers agreed on outside of TLS (RFC 4279, RFC 9846 section 2.2).

A line is an identity and its key in hex, the last word of the line; the identity may have blanks in it, and one that is no
text is written in hex behind `0x`. Lines that are empty or begin with `#` say nothing. No key is in any text made here.
"""

from binascii import Error as HexError
from binascii import unhexlify

from analyzer.secrets.decryption_error import MALFORMED, DecryptionError

LARGEST_FILE = 1 << 20
"""Octets of a file with keys: some ten thousand of them."""

LONGEST_KEY = 1 << 16
"""Bytes of a key; its length is a uint16 where it enters the premaster secret (RFC 4279 section 2)."""


def read_psks(data: bytes) -> dict[bytes, bytes]:
    """Read identities and their keys. Refused: malformed, with the number of the line."""
    if len(data) > LARGEST_FILE:
        raise DecryptionError(MALFORMED, f"more than {LARGEST_FILE} bytes are no file of pre-shared keys")
    found: dict[bytes, bytes] = {}
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
        words = line.strip().rsplit(None, 1)
        if not words or line.startswith(b"#"):
            continue
        if len(words) != 2:
            raise DecryptionError(MALFORMED, f"line {number}: an identity and a key in hex are wanted")
        identity, key = _identity(words[0], number), _hex(words[1], "key", number)
        if not 0 < len(key) < LONGEST_KEY:
            raise DecryptionError(MALFORMED, f"line {number}: a key of {len(key)} bytes")
        if found.setdefault(identity, key) != key:
            raise DecryptionError(MALFORMED, f"line {number}: another key for an identity that has one")
    return found


def _identity(text: bytes, number: int) -> bytes:
    return _hex(text[2:], "identity", number) if text[:2] in (b"0x", b"0X") else text


def _hex(text: bytes, what: str, number: int) -> bytes:
    try:
        return unhexlify(text)
    except HexError as error:
        raise DecryptionError(MALFORMED, f"line {number}: the {what} is not hex") from error
