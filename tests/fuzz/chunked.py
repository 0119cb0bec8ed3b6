"""How the bytes of a fuzzer become what a reader takes in turns: chunks with marks, as a stream, a talk or a row of packets.

A chunk is one byte of marks, two of length, and so many bytes; the last one may be short. So every input means something, and a
seed is as good as its chunks: `joined` makes one.
"""

from collections.abc import Iterable
from typing import NamedTuple

MAX_CHUNKS = 400
"""Chunks that are read: what comes behind them is left, so that an input of empty chunks takes no longer than others."""


class Chunk(NamedTuple):
    """A piece of input. marks: eight bits that a target gives a meaning."""

    marks: int
    data: bytes

    @property
    def side(self) -> int:
        """0 or 1, by the lowest bit."""
        return self.marks & 1


def chunks(data: bytes) -> list[Chunk]:
    """The chunks that an input consists of."""
    found, at = [], 0
    while len(data) - at >= 3 and len(found) < MAX_CHUNKS:
        length = int.from_bytes(data[at + 1 : at + 3])
        found.append(Chunk(data[at], data[at + 3 : at + 3 + length]))
        at += 3 + length
    return found


def joined(pieces: Iterable[tuple[int, bytes]]) -> bytes:
    """The input that gives these marks and bytes; longer ones are divided."""
    out = bytearray()
    for marks, data in pieces:
        for at in range(0, max(1, len(data)), 0xFFFF):
            piece = data[at : at + 0xFFFF]
            out += bytes([marks]) + len(piece).to_bytes(2) + piece
    return bytes(out)


def split(data: bytes, step: int) -> list[bytes]:
    """The bytes in pieces of `step`; 0 leaves them whole."""
    if step <= 0:
        return [data]
    return [data[at : at + step] for at in range(0, len(data), step)] or [b""]
