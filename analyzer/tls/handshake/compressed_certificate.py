"""Decompresses Certificate messages (RFC 8879), with a limit.

CompressedCertificate replaces Certificate, in TLS 1.3 only, and declares the uncompressed length. Section 4 requires a receiver
to stop if there is more data, and to reject the message if there is less. So no more than this length is ever decompressed, and
no more than the limit for any handshake message.
"""

import zlib

from analyzer.codec.errors import Malformed, ParseError
from analyzer.codec.runner import read
from analyzer.tls.limits import MAX_HANDSHAKE
from analyzer.tls.messages.certificate_tables import Certificate13, CompressedCertificate

ZLIB, BROTLI, ZSTD = 1, 2, 3

FREE_BYTES = 128 << 10
"""Uncompressed bytes that are always allowed; longer than nearly all chains."""

RATIO_MAX = 32
"""Allowed uncompressed bytes for each compressed byte, above FREE_BYTES.

Certificate chains consist mostly of keys, and compress only to about a half.
"""

ZSTD_WINDOW_MAX = 8 << 20
"""Largest window that is accepted.

RFC 8878 recommends decoders to support this size, and no certificate message needs more.
"""

_FIELD = "compressed_certificate_message"


def decompressed(message: CompressedCertificate) -> tuple[Certificate13 | None, list[ParseError]]:
    """Return the Certificate inside, and its problems; None if the bytes do not match the declared algorithm or length."""
    data, length = message.compressed_certificate_message, message.uncompressed_length
    if data is None or length is None:
        return None, []
    try:
        body = decompress(message.algorithm, data, length)
    except ParseError as error:
        return None, [type(error)(error.field, error.offset, error.why)]
    certificate, problems = read(Certificate13, body, 0, len(body), 0, Malformed)
    return certificate, [type(problem)(f"{_FIELD}.{problem.field}", problem.offset, problem.why) for problem in problems]


def decompress(algorithm: int, data: bytes, length: int) -> bytes:
    """Decompress data; exactly `length` bytes must come out. Raises `Malformed`."""
    if length > MAX_HANDSHAKE:
        raise Malformed("uncompressed_length", 2, f"{length} bytes are more than the limit of {MAX_HANDSHAKE}")
    if length > FREE_BYTES and length > RATIO_MAX * len(data):
        raise Malformed("uncompressed_length", 2, f"{length} bytes out of {len(data)} are no certificates")
    inflate = _ALGORITHMS.get(algorithm)
    if inflate is None:
        raise Malformed("algorithm", 0, f"{algorithm} is no known compression")
    plain = inflate(data, length + 1)
    if len(plain) != length:
        found = f"more than {length}" if len(plain) > length else str(len(plain))
        raise Malformed(_FIELD, 8, f"{found} bytes come out, not {length} as uncompressed_length says")
    return plain


def _zlib(data: bytes, limit: int) -> bytes:
    stream = zlib.decompressobj()
    try:
        plain = stream.decompress(data, limit)
    except zlib.error as error:
        raise Malformed(_FIELD, 8, str(error)) from error
    if len(plain) < limit and not stream.eof:
        raise Malformed(_FIELD, 8, "the compressed data has no end")
    return plain


def _brotli(data: bytes, limit: int) -> bytes:
    import brotli  # type: ignore[import-untyped]

    stream = brotli.Decompressor()
    plain = b""
    rest = data
    try:
        while len(plain) < limit and not stream.is_finished():
            piece = stream.process(rest, output_buffer_limit=limit - len(plain))
            rest = b""
            if not piece:
                break
            plain += piece
    except brotli.error as error:
        raise Malformed(_FIELD, 8, str(error)) from error
    return plain[:limit]


def _zstd(data: bytes, limit: int) -> bytes:
    import zstandard

    try:
        with zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_MAX).stream_reader(data) as stream:
            return stream.read(limit)
    except zstandard.ZstdError as error:
        raise Malformed(_FIELD, 8, str(error)) from error


_ALGORITHMS = {ZLIB: _zlib, BROTLI: _brotli, ZSTD: _zstd}
