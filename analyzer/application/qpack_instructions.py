"""Finds the instructions in a QPACK encoder stream, and the lines in a field section (RFC 9204 sections 4.3 and 4.5).

Their contents are decoded by `pylsqpack`. What a passive reader needs of them is read here: where an instruction ends, how many
entries were inserted, and how large an entry can be. A line of one byte can refer to an entry of many: with these numbers the
memory is known before a section is decoded.
"""

from typing import Final

from analyzer.codec.errors import Malformed

TABLE_MAX: Final = 1 << 20
"""Maximum bytes of a dynamic table that is followed; browsers announce 64 KiB, libraries 4 KiB or nothing."""

STRING_MAX: Final = 4 * TABLE_MAX
"""Maximum bytes of a string as it is sent: Huffman coding needs at most 30 bits for a character (RFC 7541 appendix B)."""

COPIED_MAX: Final = 1 << 30
"""Maximum bytes that all duplicates of a stream may copy. An instruction of one byte copies an entry as large as the table."""

ENTRY_COST: Final = 32
"""What an entry needs in the table in addition to its name and value, in bytes (RFC 9204 section 3.2.1)."""

STATIC_ENTRY_MAX: Final = 128
"""Upper limit of the size of an entry of the static table, with its cost (RFC 9204 appendix A)."""

_STATIC_NAME_MAX: Final = 32
"""Characters of the longest name in the static table."""

_INTEGER_BYTES_MAX: Final = 10


class EncoderStream:
    """Instructions of one encoder stream, as its bytes arrive.

    n_inserts: number of entries inserted so far. capacity: bytes that the last instruction gave the table. entry_max: upper
    limit of the size of any entry that was inserted, in bytes.
    """

    __slots__ = ("_held", "_n_copied", "_name_max", "_need", "capacity", "entry_max", "n_inserts")

    def __init__(self) -> None:
        self._held = bytearray()
        self._need = 1
        self._n_copied = 0
        self._name_max = _STATIC_NAME_MAX
        self.n_inserts = 0
        self.capacity = 0
        self.entry_max = ENTRY_COST + _STATIC_NAME_MAX

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes, and return the instructions that they complete.

        Raise Malformed if a number, a string or the table is larger than is followed, or if duplicates copy too much.
        """
        self._held += data
        pos = 0
        while len(self._held) - pos >= self._need:
            end = self._read(pos)
            if end is None:
                break
            pos = end
            self._need = 1
        complete = bytes(self._held[:pos])
        del self._held[:pos]
        return complete

    def _read(self, pos: int) -> int | None:
        """Read the instruction at `pos`. Return its end; None, with `_need` set, if it is not complete."""
        first = self._held[pos]
        name_size = self._name_max
        if first & 0x80:  # Insert with Name Reference
            after = self._integer(pos, 6)
            end = None if after is None else self._string(after[1], 7, pos)
        elif first & 0x40:  # Insert with Literal Name
            name = self._string(pos, 5, pos)
            end = None if name is None else self._string(name[0], 7, pos)
            if name is not None:
                name_size = name[1]
        else:
            number = self._integer(pos, 5)
            if number is None:
                return None
            if first & 0x20:  # Set Dynamic Table Capacity
                self.capacity = number[0]
                if self.capacity > TABLE_MAX:
                    raise Malformed("capacity", pos, f"a table of {self.capacity} bytes")
            else:  # Duplicate
                self.n_inserts += 1
                self._n_copied += self.entry_max
                if self._n_copied > COPIED_MAX:
                    raise Malformed("Duplicate", pos, f"duplicates of more than {COPIED_MAX} bytes")
            return number[1]
        if end is None:
            return None
        self.n_inserts += 1
        self._name_max = max(self._name_max, name_size)
        self.entry_max = max(self.entry_max, ENTRY_COST + name_size + end[1])
        return end[0]

    def _integer(self, pos: int, n_bits: int) -> tuple[int, int] | None:
        found = prefix_integer(self._held, pos, n_bits)
        if found is None:
            self._need = len(self._held) - pos + 1
        return found

    def _string(self, pos: int, n_bits: int, start: int) -> tuple[int, int] | None:
        """Return the end of a string, and the most characters that it can have; None if it is not complete.

        n_bits: bits of its length's first byte; the bit before them tells whether it is coded. start: begin of the instruction.
        """
        found = prefix_integer(self._held, pos, n_bits)
        if found is None:
            self._need = len(self._held) - start + 1
            return None
        length, begin = found
        if length > STRING_MAX:
            raise Malformed("string", pos, f"a string of {length} bytes")
        if length > len(self._held) - begin:
            self._need = begin + length - start
            return None
        coded = self._held[pos] & 1 << n_bits
        return begin + length, length * 8 // 5 if coded else length


def section_limit(section: bytes, entry_max: int) -> int:
    """Return the most bytes that a field section can have after decompression, including ENTRY_COST for each field.

    entry_max: the same of any entry of the dynamic table. A section that is cut counts up to where it is cut.
    """
    total = 0
    pos = 0
    entry_max = max(entry_max, STATIC_ENTRY_MAX)
    for n_bits in (8, 7):  # the Required Insert Count and the Base
        number = prefix_integer(section, pos, n_bits)
        if number is None:
            return total
        pos = number[1]
    while pos < len(section):
        first = section[pos]
        if first & 0x80:  # Indexed Field Line
            number = prefix_integer(section, pos, 6)
            total += entry_max if not first & 0x40 else STATIC_ENTRY_MAX
        elif first & 0xF0 == 0x10:  # Indexed Field Line with Post-Base Index
            number = prefix_integer(section, pos, 4)
            total += entry_max
        else:
            literal_name = first & 0xE0 == 0x20
            number = prefix_integer(section, pos, 4 if first & 0x40 else 3)
            if number is not None:
                total += number[0] * 8 // 5 if literal_name else entry_max
                value = prefix_integer(section, number[1] + (number[0] if literal_name else 0), 7)
                number = None if value is None else (value[0], value[0] + value[1])
                total += ENTRY_COST + (0 if value is None else value[0] * 8 // 5)
        if number is None:
            return total
        pos = number[1]
    return total


def prefix_integer(data: bytes | bytearray, pos: int, n_bits: int) -> tuple[int, int] | None:
    """Return an integer whose first byte has `n_bits` of it (RFC 9204 section 4.1.1), and the position after it.

    None: `data` ends before the integer does. Raise Malformed if it has more than 62 bits.
    """
    if pos >= len(data):
        return None
    start = pos
    limit = (1 << n_bits) - 1
    value = data[pos] & limit
    pos += 1
    if value < limit:
        return value, pos
    for n in range(_INTEGER_BYTES_MAX):
        if pos >= len(data):
            return None
        byte = data[pos]
        pos += 1
        value += (byte & 0x7F) << 7 * n
        if byte < 0x80:
            if value >> 62:
                break
            return value, pos
    raise Malformed("integer", start, "an integer of more than 62 bits")
