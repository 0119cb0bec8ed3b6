"""Damages the bytes of whole captures as an attacker would, the same way for the same random source.

Unlike `damage.py`, which takes away what captures lose, a mutation may change anything: bits, lengths, the order and number of
packets, and the texts in them, which become texts that terminals, tables and pages must not show raw.
"""

import struct
from collections.abc import Callable
from random import Random
from typing import NamedTuple

HOSTILE_TEXTS = (
    b"\x1b]0;x\x07", b"\x1b[2J", b"\x9b2J", b"<script>", b"</td><b>", b"\xe2\x80\xae", b"\xe2\x80\x8b", b"=1+1;", b"@SUM(1",
    b"\r\nX: y", b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"../../..", b"#set{x}", b"`${x}`", b"| a | b", b"\xf0\x9f\x92\xa9",
    b"%s%n",
)  # fmt: skip
"""What takes the place of text: escape sequences, markup, bidirectional and invisible characters, formulas, bad UTF-8."""

LENGTHS = (
    0,
    1,
    2,
    3,
    0x7F,
    0x80,
    0xFF,
    0x100,
    0x3FFF,
    0x4000,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x10000,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
)
"""Numbers at which something ends or begins: widths of fields, of variable-length integers, and signs."""

MAX_DOUBLES = 200
"""Copies of a packet that one mutation makes."""

MAX_SIZE = 1 << 20
"""Bytes of a mutated capture: what one run takes stays comparable with the limits of `mutate.py`."""

_PCAP = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\x3c\x4d": ">"}


class Parts(NamedTuple):
    """A capture as the header of the file and its packets or blocks; together they are its bytes."""

    head: bytes
    blocks: list[bytes]


def parts_of(data: bytes) -> Parts:
    """The header of a pcap file and its packets, or the section header of a pcapng file and its blocks."""
    order = _PCAP.get(data[:4])
    if order is not None:
        start, at, sizes = 24, 24, struct.Struct(order + "8xI4x")
        extra = 16
    elif data[:4] == b"\n\r\r\n" and len(data) >= 12:
        order = "<" if data[8:12] == b"\x4d\x3c\x2b\x1a" else ">"
        start = at = struct.unpack_from(order + "I", data, 4)[0]
        sizes, extra = struct.Struct(order + "4xI"), 0
    else:
        return Parts(data, [])
    blocks = []
    while at + sizes.size <= len(data):
        size = sizes.unpack_from(data, at)[0] + extra
        if size < 8:
            break
        blocks.append(data[at : at + size])
        at += size
    if at < len(data):
        blocks.append(data[at:])
    return Parts(data[:start], blocks)


def mutated(data: bytes, other: bytes, random: Random) -> bytes:
    """The capture after one to four mutations. other: another capture, of which blocks may be put in."""
    for _ in range(random.choice((1, 1, 2, 3, 4))):
        mutation = random.choice(_MUTATIONS)
        data = mutation(data, other, random)[:MAX_SIZE]
    return data


def changed(data: bytes, random: Random) -> bytes:
    """Any bytes after some changes: the mutations that need no capture."""
    for _ in range(random.choice((1, 1, 2, 4, 8))):
        data = random.choice(_OF_BYTES)(data, data, random)
    return data


def _bits(data: bytes, other: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 8, 40)) if changed else 0):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _octets(data: bytes, other: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 2, 8)) if changed else 0):
        changed[random.randrange(len(changed))] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
    return bytes(changed)


def _length(data: bytes, other: bytes, random: Random) -> bytes:
    width = random.choice((1, 2, 3, 4, 8))
    if len(data) < width:
        return data
    place = random.randrange(len(data) - width + 1)
    order = random.choice(("big", "big", "little"))
    old = int.from_bytes(data[place : place + width], order)
    new = random.choice((*LENGTHS, old + 1, old - 1, old * 2, old // 2)) % (1 << 8 * width)
    return data[:place] + new.to_bytes(width, order) + data[place + width :]


def _cut(data: bytes, other: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _without(data: bytes, other: bytes, random: Random) -> bytes:
    start = random.randrange(len(data) + 1)
    return data[:start] + data[start + random.choice((1, 1, 2, 4, 16, 100)) :]


def _copied(data: bytes, other: bytes, random: Random) -> bytes:
    source = random.choice((data, other))
    start, place = random.randrange(len(source) + 1), random.randrange(len(data) + 1)
    taken = source[start : start + random.choice((1, 4, 16, 64, 300, 1500))]
    over = random.choice((0, len(taken)))
    return data[:place] + taken + data[place + over :]


def _texts(data: bytes, other: bytes, random: Random) -> bytes:
    """Hostile text over text: at a place with eight letters, digits or dots in a row."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 2, 5))):
        start = random.randrange(len(data) + 1)
        for place in range(start, min(len(data) - 8, start + 3000)):
            if all(0x20 < octet < 0x7F for octet in data[place : place + 8]):
                text = random.choice(HOSTILE_TEXTS)
                changed[place : place + len(text)] = text
                break
    return bytes(changed)


def _blocks(change: Callable[[list[bytes], list[bytes], Random], None]) -> Callable[[bytes, bytes, Random], bytes]:
    def mutation(data: bytes, other: bytes, random: Random) -> bytes:
        parts = parts_of(data)
        if not parts.blocks:
            return _bits(data, other, random)
        change(parts.blocks, parts_of(other).blocks, random)
        return parts.head + b"".join(parts.blocks)

    return mutation


def _left_out(blocks: list[bytes], others: list[bytes], random: Random) -> None:
    start = random.randrange(len(blocks))
    del blocks[start : start + random.choice((1, 1, 2, 5))]


def _doubled(blocks: list[bytes], others: list[bytes], random: Random) -> None:
    place = random.randrange(len(blocks))
    blocks[place:place] = [blocks[place]] * random.choice((1, 2, MAX_DOUBLES))


def _exchanged(blocks: list[bytes], others: list[bytes], random: Random) -> None:
    one, two = random.randrange(len(blocks)), random.randrange(len(blocks))
    blocks[one], blocks[two] = blocks[two], blocks[one]


def _shuffled(blocks: list[bytes], others: list[bytes], random: Random) -> None:
    start = random.randrange(len(blocks))
    some = blocks[start : start + 10]
    random.shuffle(some)
    blocks[start : start + 10] = some


def _foreign(blocks: list[bytes], others: list[bytes], random: Random) -> None:
    if others:
        start, place = random.randrange(len(others)), random.randrange(len(blocks) + 1)
        blocks[place:place] = others[start : start + random.choice((1, 3, 20))]


def _joined(blocks: list[bytes], others: list[bytes], random: Random) -> None:
    """The first half of a packet with the second half of another one of the same length, so that the lengths still hold."""
    place = random.randrange(len(blocks))
    same = [block for block in blocks + others if len(block) == len(blocks[place]) and block != blocks[place]]
    if same:
        cut = random.randrange(len(blocks[place]))
        blocks[place] = blocks[place][:cut] + random.choice(same)[cut:]


def _in_block(blocks: list[bytes], others: list[bytes], random: Random) -> None:
    """Bits within the first 80 bytes of a packet's data: the headers of link, network and transport, and the first records."""
    place = random.randrange(len(blocks))
    block = bytearray(blocks[place])
    for _ in range(random.choice((1, 2, 4))):
        at = random.randrange(16, 110)
        if at < len(block):
            block[at] = random.choice((block[at] ^ (1 << random.randrange(8)), random.randrange(256)))
    blocks[place] = bytes(block)


_OF_BYTES = (_bits, _octets, _length, _cut, _without, _copied, _texts)

_MUTATIONS = (
    _bits, _octets, _length, _cut, _copied, _texts, _texts,
    *map(_blocks, (_left_out, _doubled, _exchanged, _shuffled, _foreign, _foreign, _joined, _in_block, _in_block, _in_block)),
)  # fmt: skip
