"""Tells what binary data is by its first bytes, and text from binary data.

The signatures are those of the formats' own specifications. A name by signature is a guess about content, as that of a
declared media type is (RFC 9110 section 8.3): both are said beside each other. Data is binary if it begins with a signature, or
if too many of its first bytes are neither text in UTF-8 nor white space: an escape sequence or a word in another encoding does
not make a log binary.
"""

import codecs
import re
from typing import Final

WINDOW: Final = 512
"""Bytes from which text and binary data are told apart."""

BINARY_SHARE: Final = 8
"""Data is binary if more than one of so many bytes is not text."""

_SIGNATURES: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\x89PNG\r\n\x1a\n", "PNG image"),
    (b"\xff\xd8\xff", "JPEG image"),
    (b"GIF87a", "GIF image"),
    (b"GIF89a", "GIF image"),
    (b"\x00\x00\x01\x00", "icon"),
    (b"II*\x00", "TIFF image"),
    (b"MM\x00*", "TIFF image"),
    (b"%PDF-", "PDF document"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "OLE document"),
    (b"PK\x03\x04", "ZIP archive"),
    (b"PK\x05\x06", "ZIP archive"),
    (b"\x1f\x8b\x08", "gzip data"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
    (b"\xfd7zXZ\x00", "xz data"),
    (b"BZh", "bzip2 data"),
    (b"\x04\x22\x4d\x18", "lz4 data"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip archive"),
    (b"Rar!\x1a\x07", "RAR archive"),
    (b"MSCF\x00\x00\x00\x00", "cabinet archive"),
    (b"\x7fELF", "ELF program"),
    (b"MZ", "Windows program"),
    (b"\xcf\xfa\xed\xfe", "Mach-O program"),
    (b"\xce\xfa\xed\xfe", "Mach-O program"),
    (b"\xca\xfe\xba\xbe", "Java class or Mach-O program"),
    (b"dex\n03", "Android program"),
    (b"\x00asm", "WebAssembly module"),
    (b"SQLite format 3\x00", "SQLite database"),
    (b"wOFF", "WOFF font"),
    (b"wOF2", "WOFF2 font"),
    (b"\x00\x01\x00\x00\x00", "TrueType font"),
    (b"OTTO", "OpenType font"),
    (b"OggS", "Ogg media"),
    (b"fLaC", "FLAC audio"),
    (b"ID3", "MP3 audio"),
    (b"\x1aE\xdf\xa3", "Matroska or WebM media"),
    (b"FLV\x01", "Flash video"),
    (b"\xd4\xc3\xb2\xa1", "pcap capture"),
    (b"\xa1\xb2\xc3\xd4", "pcap capture"),
    (b"\x0a\x0d\x0d\x0a", "pcapng capture"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2 frames"),
)  # fmt: skip

_PATTERNS: Final = (
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "WebP image"),
    (re.compile(rb"RIFF.{4}WAVE", re.DOTALL), "WAV audio"),
    (re.compile(rb"RIFF.{4}AVI ", re.DOTALL), "AVI video"),
    (re.compile(rb".{4}ftyp(?:avif|avis)", re.DOTALL), "AVIF image"),
    (re.compile(rb".{4}ftyp(?:heic|heix|mif1)", re.DOTALL), "HEIF image"),
    (re.compile(rb".{4}ftyp", re.DOTALL), "MP4 media"),
    (re.compile(rb"[\x14-\x17]\x03[\x00-\x04][\x00-\x48]"), "TLS records"),
    (re.compile(rb"\x00[\x00-\x40].\x04[\x00\x01]\x00{4}", re.DOTALL), "HTTP/2 frames"),
    (re.compile(rb"0\x82..[0\x02\xa0]", re.DOTALL), "ASN.1 data in DER"),
)

_NO_TEXT: Final = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_CONTROLS_LEFT: Final = bytes(
    number for number in range(256) if 0x20 <= number < 0x7F or number in b"\t\n\r\f\v" or number > 0x7F
)
_TRAILING: Final = re.compile(rb"[\x80-\xbf]{0,3}")
_UTF8: Final = codecs.getincrementaldecoder("utf-8")
_SURROGATES: Final = re.compile("[\udc80-\udcff]")


def kind_by_signature(head: bytes) -> str | None:
    """Return what data that begins so is, by its signature; None if no signature is known."""
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    for pattern, name in _PATTERNS:
        if pattern.match(head) is not None:
            return name
    return None


def is_plain(data: bytes) -> bool:
    """Return whether data is text without any doubt: ASCII without controls but white space."""
    return data.isascii() and not data.translate(None, _CONTROLS_LEFT)


def binary_at(data: bytes, begins: bool = False) -> int:
    """Return where binary data begins in `data`, at the beginning of a line if that is near; -1 if all of it is text.

    begins: whether nothing is before `data`. A character that is cut at either end of `data` is text.
    """
    if begins and kind_by_signature(data[:WINDOW]) is not None:
        return 0
    pos = 0
    while pos < len(data):
        doubt = _first_doubt(data, pos, begins and pos == 0)
        if doubt < 0:
            return -1
        line = max(data.rfind(b"\n", pos, doubt) + 1, pos)
        window = data[line : line + WINDOW]
        if kind_by_signature(window) is not None or BINARY_SHARE * _no_text(window) > len(window):
            return line
        pos = max(line + WINDOW, doubt + 1)
    return -1


def _first_doubt(data: bytes, pos: int, begins: bool) -> int:
    """Return where the first byte from `pos` on is that is neither text nor white space; -1 for none.

    begins: whether a character begins at `pos`.
    """
    has_controls = bool(data.translate(None, _CONTROLS_LEFT))  # many times as fast as the search
    found = _NO_TEXT.search(data, pos) if has_controls else None
    control = len(data) if found is None else found.start()
    if data.isascii():
        return -1 if found is None else control
    trailing = _TRAILING.match(data, pos)
    begin = pos if trailing is None or begins else trailing.end()
    try:
        _UTF8().decode(data[begin:])
    except UnicodeDecodeError as error:
        control = min(control, begin + error.start)
    return control if control < len(data) else -1


def _no_text(window: bytes) -> int:
    """Return how many bytes of a window are no text."""
    text = window.decode("utf-8", "surrogateescape")
    return len(window.translate(None, _CONTROLS_LEFT)) + len(_SURROGATES.findall(text))
