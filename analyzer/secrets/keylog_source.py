"""Turns the bytes of one source of secrets into lines of UTF-8, and keeps what is known of the source as a whole.

A key log is UTF-8 (RFC 9850 section 2). `>` of Windows PowerShell writes UTF-16 with a byte order mark, and other programs
write it without one: then every second byte of a label is zero. Both are converted here. A file that is something else, such as
a compressed one, is recognized by its first bytes, so that its owner gets one clear sentence.
"""

import codecs
from collections.abc import Sequence

THE_CAPTURE = "the capture"
"""The name of the source of the secrets inside captures."""

UTF_16 = "UTF-16, and a key log is UTF-8; it was read all the same"
"""What is reported of a source that was converted."""

_NEEDED = 4
"""Bytes that show how a source is encoded."""

_BOMS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}

_OTHER_KINDS = (
    (b"\x1f\x8b", "a file compressed with gzip"),
    (b"\x28\xb5\x2f\xfd", "a file compressed with zstd"),
    (b"BZh", "a file compressed with bzip2"),
    (b"\xfd7zXZ", "a file compressed with xz"),
    (b"PK\3\4", "a ZIP archive"),
    (b"\x0a\x0d\x0d\x0a", "a capture (pcapng)"),
    (b"\xd4\xc3\xb2\xa1", "a capture (pcap)"),
    (b"\xa1\xb2\xc3\xd4", "a capture (pcap)"),
    (b"-----BEGIN ", "a PEM file"),
    (b"Wireshark SSL debug log", "a debug log of Wireshark"),
    (b"Wireshark TLS debug log", "a debug log of Wireshark"),
)
_LONGEST_START = max(len(start) for start, _ in _OTHER_KINDS)


class KeyLogSource:
    """How far one source is read, and what was in it.

    tail: the start of a line that has not ended yet. lines: number of lines before it. skipping: whether the rest of a line
    that is too long is skipped. after_return: whether the bytes so far end with a carriage return. converted: whether it is
    UTF-16. n_written: lines that are neither empty nor a comment; n_good: those of them with a secret that could be read;
    n_unknown: those with a label that is not known; n_salvaged: those that have other text around the secret.
    """

    __slots__ = (
        "_decoder", "_head", "_start", "after_return", "converted", "lines", "n_good", "n_salvaged", "n_unknown", "n_written",
        "skipping", "tail",
    )  # fmt: skip

    def __init__(self) -> None:
        self.tail = b""
        self.lines = self.n_written = self.n_good = self.n_unknown = self.n_salvaged = 0
        self.skipping = self.after_return = self.converted = False
        self._decoder: codecs.IncrementalDecoder | None = None
        self._head: bytes | None = b""
        self._start = b""

    def read(self, data: bytes) -> bytes:
        """Return the next bytes as UTF-8. The first few are held back until they show how the source is encoded."""
        if len(self._start) < _LONGEST_START:
            self._start += data[: _LONGEST_START - len(self._start)]
        if self._head is not None:
            data = self._head + data
            if len(data) < _NEEDED:
                self._head = data
                return b""
            data = self._begin(data)
        if self._decoder is None:
            return data
        return self._decoder.decode(data).encode()

    def split(self, data: bytes) -> list[bytes]:
        """Return the lines that end in these bytes of UTF-8. The line after them stays in `tail`."""
        if self.after_return and data[:1] == b"\n":
            data = data[1:]
            self.after_return = False
        if not data:
            return []
        self.after_return = data.endswith(b"\r")
        lines = data.splitlines()
        lines[0] = self.tail + lines[0]
        self.tail = b"" if data.endswith((b"\n", b"\r")) else lines.pop()
        return lines

    def end(self) -> bytes:
        """Return what is held back, because the source ends here. More may follow, which can be encoded in another way."""
        held, self._head, self._decoder = self._head or b"", b"", None
        return held

    def kind(self) -> str:
        """Return what the source is instead of a key log, by its first bytes; "" if that is not known."""
        return next((kind for start, kind in _OTHER_KINDS if self._start.startswith(start)), "")

    def _begin(self, data: bytes) -> bytes:
        """Choose the encoding by the first bytes. Return the bytes without a byte order mark of UTF-16."""
        self._head = None
        encoding = _BOMS.get(data[:2])
        if encoding is not None:
            data = data[2:]
        elif not data[0] and data[1] and not data[2] and data[3]:
            encoding = "utf-16-be"
        elif data[0] and not data[1] and data[2] and not data[3]:
            encoding = "utf-16-le"
        if encoding is not None:
            self.converted = True
            self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        return data


def fault_of(sources: Sequence[KeyLogSource]) -> str:
    """Say why no secret could be read in these sources, in words that follow "the key log"."""
    n_written = sum(source.n_written for source in sources)
    n_bad = n_written - sum(source.n_unknown for source in sources)
    kind = next(filter(None, (source.kind() for source in sources)), "")
    if n_bad:
        what = f": it is {kind}" if kind else ""
        return f"has no line that can be read ({n_bad} of {n_written} lines bad){what}"
    if n_written:
        return f"has only labels that are not known ({n_written} lines)"
    return "has no secret, only comments or empty lines" if any(source.lines for source in sources) else "is empty"
