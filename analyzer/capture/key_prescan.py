"""Finds the secrets in a capture file before its first frame is read.

Only pcapng files have secrets, in Decryption Secrets Blocks. Such a block may be anywhere in the file. Some programs add it at
the end, after the packets that it decrypts. So the chain of blocks is scanned once, from block header to block header. Nothing
else is read. A compressed file must be decompressed for this; so only small compressed files are scanned.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from analyzer.capture.blocks import ByteOrder
from analyzer.capture.decompress import MAGIC_LENGTH, compression_of
from analyzer.capture.file_facts import MAX_SECRET_BYTES, Facts
from analyzer.capture.file_numbers import read_u32
from analyzer.capture.frame import Frame
from analyzer.capture.packet_reader import MAX_BLOCK, PacketReader
from analyzer.capture.source import STANDARD_INPUT, Source, open_read_only
from analyzer.codec.errors import ParseError

if TYPE_CHECKING:
    import cython

LARGEST_COMPRESSED = 32 << 20
"""The largest compressed file, in bytes, that is decompressed twice to find its secrets: half a second of gzip."""

# Bytes per read: they fit in the processor's cache, and the cost of the calls is small.
_CHUNK = 1 << 17
# The part of a block header that is used: type, length, and in a section header the byte order.
_HEAD = 12
_SECTION = 0x0A0D0D0A
_SECRETS = 10
_LITTLE = b"\x4d\x3c\x2b\x1a"
_BIG = b"\x1a\x2b\x3c\x4d"


def prescan_keys(path: str) -> list[tuple[int, bytes]]:
    """Return type and bytes of all Decryption Secrets Blocks of a regular file, up to damage in it.

    The list is empty for other kinds of files. Raise OSError if the file cannot be opened or read.
    """
    if path == STANDARD_INPUT or not stat.S_ISREG(os.stat(path).st_mode):
        return []
    descriptor, _ = open_read_only(path)
    try:
        head = os.pread(descriptor, _HEAD, 0)
        if compression_of(head[:MAGIC_LENGTH]) is not None:
            return _decompressed(path) if os.fstat(descriptor).st_size <= LARGEST_COMPRESSED else []
        if len(head) < _HEAD or read_u32(head, 0, True) != _SECTION:
            return []
        return _blocks(descriptor)
    finally:
        os.close(descriptor)


def is_prescanned(path: str) -> bool:
    """Return whether `prescan_keys` finds all secrets of a regular file: not in a large compressed one. Raise OSError."""
    descriptor, _ = open_read_only(path)
    try:
        compressed = compression_of(os.pread(descriptor, MAGIC_LENGTH, 0)) is not None
        return not compressed or os.fstat(descriptor).st_size <= LARGEST_COMPRESSED
    finally:
        os.close(descriptor)


def _blocks(descriptor: cython.int) -> list[tuple[int, bytes]]:
    """Return the secrets of an open pcapng file: go from block to block."""
    facts = Facts()
    base: cython.longlong = 0
    position: cython.longlong = 0
    size: cython.longlong = 0
    kind: cython.longlong
    length: cython.longlong
    little: cython.bint = True
    longest: cython.longlong = MAX_BLOCK
    data = b""
    while True:
        if _HEAD > size - position:
            base += position
            position = 0
            data = os.pread(descriptor, _CHUNK, base)
            size = len(data)
            if size < _HEAD:
                return facts.secrets
        kind = read_u32(data, position, little)
        if kind == _SECTION:
            magic = data[position + 8 : position + _HEAD]
            if magic not in (_LITTLE, _BIG):
                return facts.secrets
            little = magic == _LITTLE
        length = read_u32(data, position + 4, little)
        if length < 12 or length & 3 or length > longest:
            return facts.secrets
        if kind == _SECRETS and length - 20 <= MAX_SECRET_BYTES:
            block = os.pread(descriptor, length, base + position)
            order: ByteOrder = "little" if little else "big"
            if len(block) == length:
                facts.read_secrets(block[8 : length - 4], order, base + position)
        position += length


def _decompressed(path: str) -> list[tuple[int, bytes]]:
    """Return the secrets of a compressed file: read all of it."""
    packet_reader = PacketReader(Frame(), 0, True)
    with Source(path) as source:
        try:
            for chunk in source.chunks():
                packet_reader.feed(chunk)
                while packet_reader.advance():
                    pass
                if packet_reader.error is not None or (packet_reader.format is not None and packet_reader.format != "pcapng"):
                    break
        except ParseError:  # reported when the file is read for its frames
            pass
    return packet_reader.secrets
