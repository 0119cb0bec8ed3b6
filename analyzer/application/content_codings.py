"""Removes content codings, with limits: gzip, deflate, br, zstd (RFC 9110 section 8.4.1, RFC 7932, RFC 8878, RFC 9659).

A decoder takes the bytes that arrived and yields the decoded bytes in pieces. No body is ever held whole.

A few bytes of any of these formats can become very many. There are therefore two limits on a decoded body: an absolute one, and
a ratio to the bytes on the wire. Both are checked after every coding of a stack, because the outer of two codings can be a bomb
that is not visible after the inner one.
"""

import zlib
from collections.abc import Callable, Iterator
from typing import Final, Protocol

import brotli  # type: ignore[import-untyped]
import zstandard

from analyzer.codec.errors import Anomaly, Malformed

PIECE: Final = 1 << 16
"""Bytes requested from a decoder at a time: few compared with the memory of a session, many compared with the cost of a
call."""

SLICE: Final = 1 << 16
"""Bytes given to a decoder at a time. This limits the input that it copies."""

ZSTD_SLICE: Final = 512
"""Bytes given to zstd at a time. It does not limit its output: an RLE block of 4 bytes becomes 128 KiB, this many bytes 16
MiB."""

ZSTD_WINDOW_MAX: Final = 1 << 23
"""The largest window that RFC 9659 allows for the coding zstd."""

DECODED_MAX: Final = 1 << 30
"""Maximum number of decoded bytes of one body: more than any web page has, and seconds of work."""

RATIO_MAX: Final = 250
"""Maximum of decoded bytes for each byte on the wire, above RATIO_FREE. Logs and markup reach 100, deflate can reach 1,032."""

RATIO_FREE: Final = 1 << 22
"""Number of decoded bytes that a body may have at any ratio."""

CODINGS_MAX: Final = 3
"""Maximum number of codings on one body. Honest senders use one."""


class Decoder(Protocol):
    """Removes one coding. `finished`: whether the coded data has ended."""

    finished: bool

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded bytes that `data` adds. Raises Malformed if it cannot be read."""


class _Inflate:
    """Decodes zlib in one of its formats: `wbits` 31 gzip (one or several members), 15 zlib, -15 raw, 0 zlib or raw."""

    def __init__(self, name: str, wbits: int) -> None:
        self._name = name
        self._wbits = wbits
        self._stream = zlib.decompressobj(wbits) if wbits else None
        self._first = b""
        self._n_read = 0
        self.finished = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), SLICE):
            yield from self._decode(data[start : start + SLICE])
            self._n_read += min(SLICE, len(data) - start)

    def _decode(self, data: bytes) -> Iterator[bytes]:
        stream = self._stream
        if stream is None:
            data = self._first + data
            if len(data) < 2:
                self._first = data
                return
            # RFC 9110 section 8.4.1.2 requires zlib; many servers send raw deflate.
            is_zlib = data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
            stream = self._stream = zlib.decompressobj(15 if is_zlib else -15)
        while True:
            if stream.eof:
                data = data.lstrip(b"\0") if self._wbits == 31 else data
                if not data:
                    return
                if self._wbits != 31:
                    raise Malformed(self._name, self._n_read, "bytes after the end of the coded data")
                stream = self._stream = zlib.decompressobj(self._wbits)
                self.finished = False
            try:
                piece = stream.decompress(data, PIECE)
            except zlib.error as error:
                raise Malformed(self._name, self._n_read, str(error)) from None
            if piece:
                yield piece
            if stream.eof:
                self.finished = True
                data = stream.unused_data
            else:
                data = stream.unconsumed_tail
                if not data and len(piece) < PIECE:
                    return


class _Brotli:
    def __init__(self) -> None:
        self._stream = brotli.Decompressor()
        self._n_read = 0
        self.finished = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), SLICE):
            rest = data[start : start + SLICE]
            more = True
            while more:
                if self.finished:
                    raise Malformed("br", self._n_read, "bytes after the end of the coded data")
                try:
                    piece = self._stream.process(rest, output_buffer_limit=PIECE)
                    # Output can be left after all input is taken.
                    more = not self._stream.can_accept_more_data() or len(piece) >= PIECE
                except brotli.error as error:
                    raise Malformed("br", self._n_read, str(error)) from None
                self._n_read += len(rest)
                rest = b""
                if piece:
                    yield piece
                if self._stream.is_finished():
                    self.finished = True
                    more = False


class _Zstd:
    def __init__(self) -> None:
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_MAX)
        self._stream: zstandard.ZstdDecompressionObj | None = None
        self._n_read = 0
        self.finished = False

    def decode(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), ZSTD_SLICE):
            rest = data[start : start + ZSTD_SLICE]
            n_slice = len(rest)
            while rest:
                if self._stream is None:
                    self._stream = self._decompressor.decompressobj()
                    self.finished = False
                try:
                    piece = self._stream.decompress(rest)
                except zstandard.ZstdError as error:
                    raise Malformed("zstd", self._n_read, str(error)) from None
                if piece:
                    yield piece
                rest = b""
                if self._stream.eof:
                    rest = self._stream.unused_data
                    self._stream = None
                    self.finished = True
            self._n_read += n_slice


_DECODERS: Final[dict[str, Callable[[], Decoder]]] = {
    "gzip": lambda: _Inflate("gzip", 31),
    "x-gzip": lambda: _Inflate("gzip", 31),
    "deflate": lambda: _Inflate("deflate", 0),
    "br": _Brotli,
    "zstd": _Zstd,
}

KNOWN: Final = frozenset(_DECODERS)
"""The codings that can be removed."""


class Stack:
    """Removes several codings, the last applied first.

    codings: names from KNOWN in the order in which they were applied, at most CODINGS_MAX.
    """

    __slots__ = ("_decoders", "_n_decoded", "_n_wire")

    def __init__(self, codings: list[str]) -> None:
        self._decoders = [_DECODERS[name]() for name in reversed(codings)]
        self._n_wire = 0
        self._n_decoded = [0] * len(self._decoders)

    def decode(self, data: bytes) -> Iterator[bytes]:
        """Yield the bytes that `data` adds to the body.

        Raises Malformed if the data is not in that coding, and Anomaly if it is over a limit. After an error the stack cannot
        be used again.
        """
        self._n_wire += len(data)
        return self._decode(0, data)

    def _decode(self, level: int, data: bytes) -> Iterator[bytes]:
        last = level + 1 == len(self._decoders)
        for piece in self._decoders[level].decode(data):
            n_decoded = self._n_decoded[level] = self._n_decoded[level] + len(piece)
            if n_decoded > RATIO_FREE and (n_decoded > DECODED_MAX or n_decoded > RATIO_MAX * self._n_wire):
                raise Anomaly("content", self._n_wire, f"{self._n_wire} bytes become {n_decoded} and more")
            if last:
                yield piece
            else:
                yield from self._decode(level + 1, piece)

    @property
    def finished(self) -> bool:
        """Whether the data of every coding has ended."""
        return all(decoder.finished for decoder in self._decoders)
