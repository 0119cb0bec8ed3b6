"""The secrets of a capture file before its first frame is read.

Only pcapng files have them, in Decryption Secrets Blocks, which may stand anywhere: behind the packets that they open, too,
where a program adds them at the end. So the chain of blocks is run through once, from head to head, and nothing else is looked
at. A compressed file has to be decompressed for that, and is left to be read in one go unless it is small.
"""

import os
import stat

import cython

from analyzer.capture.blocks import ByteOrder
from analyzer.capture.decompress import MAGIC_LENGTH, compression_of
from analyzer.capture.file_facts import MAX_SECRET_BYTES, Facts
from analyzer.capture.frame import Frame
from analyzer.capture.packet_reader import MAX_BLOCK, PacketReader, read_u32
from analyzer.capture.source import STANDARD_INPUT, Source
from analyzer.codec.errors import ParseError

LARGEST_COMPRESSED = 32 << 20
"""Bytes of a compressed file that are decompressed twice for the secrets in it: half a second of gzip."""

# What is read at once: so much stays in a processor's cache, and the calls do not count.
_CHUNK = 1 << 17
# The head of a block, as far as it is looked at: type, length, and of a section its byte order.
_HEAD = 12
_SECTION = 0x0A0D0D0A
_SECRETS = 10
_LITTLE = b"\x4d\x3c\x2b\x1a"
_BIG = b"\x1a\x2b\x3c\x4d"


def prescan_keys(path: str) -> list[tuple[int, bytes]]:
    """Type and bytes of all Decryption Secrets Blocks of a regular file, up to where it is damaged; nothing of other files.

    What the system refuses is raised as OSError.
    """
    if path == STANDARD_INPUT or not stat.S_ISREG(os.stat(path).st_mode):
        return []
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        head = os.pread(descriptor, _HEAD, 0)
        if compression_of(head[:MAGIC_LENGTH]) is not None:
            return _decompressed(path) if os.fstat(descriptor).st_size <= LARGEST_COMPRESSED else []
        if len(head) < _HEAD or read_u32(head, 0, True) != _SECTION:
            return []
        return _blocks(descriptor)
    finally:
        os.close(descriptor)


def _blocks(descriptor: cython.int) -> list[tuple[int, bytes]]:
    """Go from block to block of an open pcapng file."""
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
    """Read a compressed file for nothing but its secrets."""
    packet_reader = PacketReader(Frame(), 0, True)
    with Source(path) as source:
        try:
            for chunk in source.chunks():
                packet_reader.feed(chunk)
                while packet_reader.advance():
                    pass
                if packet_reader.error is not None or (packet_reader.format is not None and packet_reader.format != "pcapng"):
                    break
        except ParseError:  # told when the file is read for its frames
            pass
    return packet_reader.secrets
