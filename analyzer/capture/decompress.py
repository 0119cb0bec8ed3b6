"""Decompresses captures in steps of limited size: gzip (RFC 1952), zstd (RFC 8878), lz4 frames, xz, bzip2.

A compressed file is a sequence of members (frames, streams), which are decompressed one after the other. A few bytes can become
gigabytes, so every step requests at most `STEP` bytes from its library. Some libraries have no such limit (zstd), or lose what
they have decoded when they find an error (zstd, lz4). They get one block at a time: a block begins with its length, and has a
maximum size. Each library is imported with the first file that needs it.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from analyzer.codec.errors import Incomplete, Malformed

if TYPE_CHECKING:
    import bz2
    import lzma

    import lz4.frame
    import zstandard

# The most bytes that a step yields: so many that the cost of the step itself is small.
STEP = 1 << 20
# Compressed bytes given to zlib in one call. It begins with few, since a file may be thousands of tiny members. Then the number
# doubles each time, up to the maximum.
FIRST_PIECE = 1 << 9
PIECE = 1 << 16
# liblzma and libbz2 lose what they decoded in the call that finds an error. So damage loses the content of at most so many
# bytes.
SMALL_PIECE = 64
# The memory limit of `zstd -d`, and several times what `xz -9` needs. A file may ask for 2 GiB (zstd) and 4 GiB (xz).
LARGEST_WINDOW = 128 << 20
XZ_MEMORY = 256 << 20
# The largest blocks: RFC 8878 section 3.1.1.2.4, and the lz4 frame format.
ZSTD_BLOCK = 128 << 10
LZ4_BLOCK = 4 << 20

MAGIC_LENGTH = 6
_GZIP = b"\x1f\x8b\x08"
_ZSTD = b"\x28\xb5\x2f\xfd"
_LZ4 = b"\x04\x22\x4d\x18"
_XZ = b"\xfd7zXZ\0"
_BZIP2 = b"BZh"


class Stored:
    """The compressed bytes of a file, read in the sizes that a decoder needs. offset: of the next byte in the file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.offset = 0
        self._chunks = chunks
        self._chunk = b""
        self._at = 0

    def some(self, most: int) -> bytes:
        """Return up to `most` bytes that are already available; no bytes only at the end."""
        while self._at == len(self._chunk):
            following = next(self._chunks, None)
            if following is None:
                return b""
            self._chunk, self._at = following, 0
        taken = self._chunk[self._at : self._at + most]
        self._at += len(taken)
        self.offset += len(taken)
        return taken

    def give_back(self, data: bytes) -> None:
        """Take back `data`, the last part of what `some` returned last."""
        self._at -= len(data)
        self.offset -= len(data)

    def exactly(self, length: int, field: str) -> bytes:
        """Return `length` bytes. Raise Incomplete if the file ends before."""
        start = self.offset
        parts = []
        while length:
            part = self.some(length)
            if not part:
                raise Incomplete(field, start, f"the file ends {length} bytes too early")
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def ends(self) -> bool:
        """Return whether only zero bytes follow. Tapes and `xz` use them as padding. They are consumed."""
        while data := self.some(FIRST_PIECE):
            if rest := data.lstrip(b"\0"):
                self.give_back(rest)
                return False
        return True


def compression_of(head: bytes) -> str | None:
    """Return `gzip`, `zstd`, `lz4`, `xz` or `bzip2`, by the first `MAGIC_LENGTH` bytes of a file; None for other bytes."""
    if head.startswith(_GZIP):
        return "gzip"
    # Both a zstd file and an lz4 file may begin with a skippable frame. But only tools of zstd write such files (pzstd).
    if head.startswith(_ZSTD) or (len(head) >= 4 and _skippable(head[:4])):
        return "zstd"
    if head.startswith(_LZ4):
        return "lz4"
    if head.startswith(_XZ):
        return "xz"
    # Then the size of a block, in steps of 100,000 bytes.
    if head.startswith(_BZIP2) and b"1" <= head[3:4] <= b"9":
        return "bzip2"
    return None


def decompress(compression: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the decompressed bytes of a file, at most `STEP` at a time.

    Raise Malformed or Incomplete for damage, after all bytes that can be read before it. Its offset is in the compressed file.
    """
    return {"gzip": _gzip, "zstd": _zstd, "lz4": _lz4, "xz": _xz, "bzip2": _bzip2}[compression](Stored(chunks))


def _gzip(stored: Stored) -> Iterator[bytes]:
    while not stored.ends():
        member = zlib.decompressobj(wbits=31)
        size = FIRST_PIECE
        while not member.eof:
            piece = stored.some(size)
            size = min(size * 2, PIECE)
            if not piece:
                while data := member.decompress(b"", STEP):
                    yield data
                raise Incomplete("gzip", stored.offset, "the file ends within a member")
            before = member.copy()
            try:
                data = member.decompress(piece, STEP)
            except zlib.error:
                yield from _salvage(before, piece, stored.offset - len(piece))
                return
            if data:
                yield data
            stored.give_back(member.unused_data if member.eof else member.unconsumed_tail)


def _salvage(member: "zlib._Decompress", piece: bytes, start: int) -> Iterator[bytes]:
    """Yield the content of `piece` up to the error in it, byte by byte, and then raise that error as Malformed.

    This is needed because zlib loses what a failed call has decoded.
    """
    for at in range(len(piece)):
        pending = piece[at : at + 1]
        while pending:
            try:
                data = member.decompress(pending, STEP)
            except zlib.error as error:
                raise Malformed("gzip", start + at, str(error)) from error
            pending = member.unconsumed_tail
            if data:
                yield data


def _frames(stored: Stored, wanted: bytes, field: str) -> Iterator[int]:
    """Yield the start of each frame after its magic number was read. Skip skippable frames. Raise Malformed for other bytes."""
    while not stored.ends():
        start = stored.offset
        magic = stored.exactly(4, field)
        if _skippable(magic):
            _skip(stored)
        elif magic == wanted:
            yield start
        else:
            raise Malformed(field, start, f"{magic.hex()} begins no frame")


def _zstd(stored: Stored) -> Iterator[bytes]:
    import zstandard

    decompressor = zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW)
    for start in _frames(stored, _ZSTD, "zstd.magic"):
        descriptor = stored.exactly(1, "zstd.frame_header")
        flags = descriptor[0]
        single = flags >> 5 & 1
        rest = 1 - single + (0, 1, 2, 4)[flags & 3] + (single, 2, 4, 8)[flags >> 6]
        frame = decompressor.decompressobj()
        yield from _step_zstd(frame, _ZSTD + descriptor + stored.exactly(rest, "zstd.frame_header"), start)
        last = 0
        while not last:
            at = stored.offset
            head = stored.exactly(3, "zstd.block_header")
            bits = int.from_bytes(head, "little")
            last, kind, size = bits & 1, bits >> 1 & 3, bits >> 3
            if kind == 3 or size > ZSTD_BLOCK:
                raise Malformed("zstd.block_header", at, f"no block of type {kind} has {size} bytes")
            # A block of type 1 is one byte, repeated `size` times.
            yield from _step_zstd(frame, head + stored.exactly(1 if kind == 1 else size, "zstd.block"), at)
        if flags & 4:
            at = stored.offset
            yield from _step_zstd(frame, stored.exactly(4, "zstd.content_checksum"), at)


def _step_zstd(frame: "zstandard.ZstdDecompressionObj", data: bytes, at: int) -> Iterator[bytes]:
    import zstandard

    try:
        decompressed = frame.decompress(data)
    except zstandard.ZstdError as error:
        raise Malformed("zstd", at, str(error)) from error
    if decompressed:
        yield decompressed


def _lz4(stored: Stored) -> Iterator[bytes]:
    import lz4.frame

    for start in _frames(stored, _LZ4, "lz4.magic"):
        descriptor = stored.exactly(2, "lz4.frame_descriptor")
        flags = descriptor[0]
        rest = (8 if flags & 0x08 else 0) + (4 if flags & 0x01 else 0) + 1
        frame = lz4.frame.LZ4FrameDecompressor()
        yield from _step_lz4(frame, _LZ4 + descriptor + stored.exactly(rest, "lz4.frame_descriptor"), start)
        size = 1
        while size:
            at = stored.offset
            head = stored.exactly(4, "lz4.block_size")
            size = struct.unpack("<I", head)[0] & 0x7FFFFFFF
            if size > LZ4_BLOCK:
                raise Malformed("lz4.block_size", at, f"{size} bytes are more than a block has")
            length = size + (4 if flags & 0x10 else 0) if size else 4 if flags & 0x04 else 0
            yield from _step_lz4(frame, head + stored.exactly(length, "lz4.block"), at)


def _step_lz4(frame: "lz4.frame.LZ4FrameDecompressor", data: bytes, at: int) -> Iterator[bytes]:
    while True:
        try:
            decompressed = frame.decompress(data, STEP)
        except RuntimeError as error:
            raise Malformed("lz4", at, str(error)) from error
        if decompressed:
            yield decompressed
        if frame.eof or frame.needs_input:
            return
        data = b""


def _xz(stored: Stored) -> Iterator[bytes]:
    import lzma

    return _streams(stored, "xz", lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, XZ_MEMORY), lzma.LZMAError)


def _bzip2(stored: Stored) -> Iterator[bytes]:
    import bz2

    return _streams(stored, "bzip2", bz2.BZ2Decompressor, OSError)


def _streams(
    stored: Stored, field: str, begin: "Callable[[], lzma.LZMADecompressor | bz2.BZ2Decompressor]", error: type[Exception]
) -> Iterator[bytes]:
    """Decompress one stream after the other. begin: returns a decompressor for the next one. error: of damaged data."""
    while not stored.ends():
        stream = begin()
        while not stream.eof:
            piece = stored.some(SMALL_PIECE) if stream.needs_input else b""
            if not piece and stream.needs_input:
                raise Incomplete(field, stored.offset, "the file ends within a stream")
            try:
                data = stream.decompress(piece, STEP)
            except error as raised:
                raise Malformed(field, stored.offset - len(piece), str(raised)) from raised
            if data:
                yield data
        stored.give_back(stream.unused_data)


def _skippable(magic: bytes) -> bool:
    return magic[1:] == b"\x2a\x4d\x18" and magic[0] & 0xF0 == 0x50


def _skip(stored: Stored) -> None:
    """Skip the rest of a skippable frame, after its magic number."""
    left = int.from_bytes(stored.exactly(4, "skippable_frame.length"), "little")
    while left:
        left -= len(stored.exactly(min(left, PIECE), "skippable_frame"))
