"""Reads and writes the integers of variable length that QUIC and HTTP/3 use (RFC 9000 section 16).

The two high bits of the first byte say whether the integer has 1, 2, 4 or 8 bytes. A number may be written longer than it
needs to be: readers accept that.
"""

from typing import Final

VARINT_MAX: Final = (1 << 62) - 1
"""The largest number that fits."""


def read_varint(data: bytes, pos: int) -> tuple[int, int] | None:
    """Return the integer at `pos` and the position after it; None if `data` ends before the integer does."""
    if pos >= len(data):
        return None
    first = data[pos]
    if first < 0x40:
        return first, pos + 1
    n_bytes = 1 << (first >> 6)
    if n_bytes > len(data) - pos:
        return None
    end = pos + n_bytes
    return int.from_bytes(data[pos:end], "big") & ((1 << (8 * n_bytes - 2)) - 1), end


def write_varint(value: int) -> bytes:
    """Return the shortest form of a number. Raise ValueError if it is negative or larger than VARINT_MAX."""
    for exponent, n_bits in enumerate((6, 14, 30, 62)):
        if 0 <= value < 1 << n_bits:
            n_bytes = 1 << exponent
            return (value | exponent << (8 * n_bytes - 2)).to_bytes(n_bytes, "big")
    raise ValueError(f"{value} is no number from 0 to {VARINT_MAX}")
