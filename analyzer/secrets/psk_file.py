"""Reads external pre-shared keys from a file: keys that two peers agreed on outside of TLS (RFC 4279, RFC 9846 section 2.2).

A line has an identity and its key; the key is in hex and is the last word of the line. The identity can contain spaces. A
binary identity is written in hex after `0x`. Empty lines, and lines that begin with `#`, are ignored. No text from this module
contains a key.
"""

from binascii import Error as HexError
from binascii import unhexlify

from analyzer.secrets.decryption_error import MALFORMED, DecryptionError

LARGEST_FILE = 1 << 20
"""Limit in octets for a file with keys: about ten thousand keys."""

LONGEST_KEY = 1 << 16
"""Limit in bytes for a key, because the premaster secret contains its length as a uint16 (RFC 4279 section 2)."""


def read_psks(data: bytes) -> dict[bytes, bytes]:
    """Read identities and their keys. Raises DecryptionError (malformed) with the number of the line."""
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
