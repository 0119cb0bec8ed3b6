"""Writes the data of the two sides as text. Binary data is named, with its size and SHA-256, and not written.

Bodies of HTTP/1 are written without chunks and content codings, so that their hash is that of `http` and `export`. All else
is written as it was sent; the other forms of `follow` have every byte. What is text and would control a terminal is escaped,
except line ends and tabs.
"""

import codecs
import hashlib

from analyzer.analysis.missing_data import Missing
from analyzer.application.conversation import stream_protocol
from analyzer.application.data_kinds import WINDOW, binary_at, is_plain, kind_by_signature
from analyzer.application.message_framing import MessageBody, MessageFraming
from analyzer.application.stream_messages import RawStreams, StreamMessages
from analyzer.cli.output import Output
from analyzer.cli.stream_view import MARKS, NAMES, NO_STREAM, STYLES, Shows, chunk_text, missing_text
from analyzer.text.escape import harmless, is_harmless
from analyzer.text.formatting import count_text
from analyzer.text.language import retold, say
from analyzer.text.punctuation import clauses, labelled

_RESUMING = 32
"""Bytes of text with which a record must begin at least to end binary data whose end is not known."""

_HARMLESS = bytes([*range(0x20, 0x7F), *b"\t\n\r\xc3", *range(0x80, 0xC0)])
"""The bytes of ASCII, and of the letters of Latin-1 in UTF-8 (U+00C0 to U+00FF), all of which are printable."""

_DOTS = bytes(number if 0x20 <= number < 0x7F or number in b"\r\n" else 0x2E for number in range(256))


class TextView:
    """Writes text as UTF-8, and names binary data. It sees the data of both sides, and writes what `shows` allows."""

    sees_all = True

    def __init__(self, output: Output, shows: Shows | None = None) -> None:
        """shows: whether data of a side at a time, and in a stream, is written; None for all."""
        self._output = output
        self._shows = shows
        self._lines = _Lines(output)
        self._reader: MessageFraming | StreamMessages | RawStreams = MessageFraming(self._take)
        self._alpn: str | None = None
        self._binary: dict[tuple[int, MessageBody | None], _Binary] = {}
        self._turn: tuple[int, int | None] | None = None
        self._frame = 0
        self._at = -1
        self._first = -1
        self._hinted = False

    def begin(self, alpn: bytes | None) -> None:
        """Note the protocol that was agreed on, before any data.

        HTTP/2 and HTTP/3 are written as heads and bodies, without their frames.
        """
        self._alpn = None if alpn is None else alpn.decode("utf-8", "replace")
        if alpn == b"h2":
            self._reader = StreamMessages("h2", self._take, self._note_reset)

    def data(self, side: int, data: bytes, frame: int, at: int, stream: int = NO_STREAM, end: bool = False) -> None:
        """See `View.data`."""
        if stream != NO_STREAM:
            self._frame, self._at = frame, at
            self._streams().feed_stream(stream, side, data, end, frame, at)
            return
        if self._turn is not None and self._turn[0] != side and isinstance(self._reader, MessageFraming):
            self._end_turn()
        self._frame, self._at = frame, at
        self._reader.feed(side, data, frame, at)

    def reset(self, side: int, stream: int, code: int, frame: int, at: int) -> None:
        """See `View.reset`."""
        self._streams().reset_stream(stream, side, code, frame, at)

    def miss(self, side: int, stream: int, length: int | None) -> None:
        """See `View.miss`."""
        self._streams().lose_stream(stream, side, length)

    def missing(self, missing: Missing) -> None:
        """See `View.missing`."""
        self._reader.lose(missing.role)
        self._end_turn()
        self.note(missing_text(missing), "alarm")

    def close(self) -> None:
        """See `View.close`."""
        self._reader.close()
        self._end_turn()
        for key in list(self._binary):
            self._name(key)

    def note(self, text: str, style: str = "dim") -> None:
        """Write a line of this program."""
        self._lines.end()
        self._output.line(self._output.paint("* " + harmless(text), style))

    def _streams(self) -> StreamMessages | RawStreams:
        """Return the reader of QUIC streams, which the first of them creates."""
        if isinstance(self._reader, MessageFraming):
            alpn = self._alpn or ""
            if stream_protocol(alpn) is None:
                self._reader = RawStreams(self._take)
            else:
                self._reader = StreamMessages(alpn, self._take, self._note_reset)
        return self._reader

    def _take(self, side: int, data: bytes, body: MessageBody | None, ends: bool, stream: int | None = None) -> None:
        """Take bytes of a side, with the body that they are part of. See `message_framing.Take`. stream: of HTTP/2 or QUIC."""
        if self._shows is not None and not self._shows(side, self._at, NO_STREAM if stream is None else stream):
            return
        key = side, body
        binary = self._binary.get(key)
        if binary is not None and body is None and _resumes(data):
            self._name(key)
            binary = None
        if data and binary is None:
            begins = self._begin_turn(side, stream) if body is None else not body.begun
            begin = binary_at(data, begins) if begins or not is_plain(data) else -1
            if body is not None:
                self._begin_turn(side, stream)
                body.begun = True
            if begin != 0:
                self._lines.write(side, data if begin < 0 else data[:begin])
            if begin >= 0:
                binary = self._binary[key] = _Binary(body)
                data = data[begin:]
        if binary is not None:
            binary.feed(data)
        if ends and body is not None:
            self._lines.end()
            if binary is not None:
                self._begin_turn(side, stream)
                self._name(key)
            if body.problem:
                self.note(say("the body above is not whole: {why}", why=retold(body.problem)), "alarm")

    def _note_reset(self, stream: int, error: str) -> None:
        self._end_turn()
        self.note(say("stream {n} was reset: {error}", n=stream, error=error))

    def _begin_turn(self, side: int, stream: int | None) -> bool:
        """Begin a turn of this side and stream. Return False if it has begun already."""
        if (side, stream) == self._turn:
            return False
        self._end_turn()
        self._turn = side, stream
        self._first = self._at if self._first < 0 else self._first
        self.note(chunk_text(side, self._frame, self._at, self._first, stream))
        return True

    def _end_turn(self) -> None:
        """End the turn. Binary data outside of bodies ends with it; a body goes on in the next turn of its side."""
        turn, self._turn = self._turn, None
        if turn is not None and (turn[0], None) in self._binary:
            self._name((turn[0], None))
        self._lines.end()

    def _name(self, key: tuple[int, MessageBody | None]) -> None:
        """Write the line about binary data that has ended."""
        text = self._binary.pop(key).text(key[0])
        self.note(text if self._hinted else clauses(text, say("--hex shows it")))
        self._hinted = True


class AsciiView:
    """Writes every byte as one character: ASCII as it is, line ends, and a dot for all else, as Wireshark's Follow does."""

    sees_all = False

    def __init__(self, output: Output) -> None:
        self._output = output
        self._lines = _Lines(output)
        self._turn = -1, NO_STREAM
        self._first = -1

    def begin(self, alpn: bytes | None) -> None:
        """See `View.begin`."""

    def data(self, side: int, data: bytes, frame: int, at: int, stream: int = NO_STREAM, end: bool = False) -> None:
        """See `View.data`."""
        if not data:
            return
        if (side, stream) != self._turn:
            self._first = at if self._first < 0 else self._first
            self.note(chunk_text(side, frame, at, self._first, None if stream == NO_STREAM else stream))
            self._turn = side, stream
        self._lines.write(side, data.translate(_DOTS))

    def reset(self, side: int, stream: int, code: int, frame: int, at: int) -> None:
        """See `View.reset`."""

    def miss(self, side: int, stream: int, length: int | None) -> None:
        """See `View.miss`."""

    def missing(self, missing: Missing) -> None:
        """See `View.missing`."""
        self._turn = -1, NO_STREAM
        self.note(missing_text(missing), "alarm")

    def close(self) -> None:
        """See `View.close`."""
        self._lines.end()

    def note(self, text: str, style: str = "dim") -> None:
        """Write a line of this program."""
        self._lines.end()
        self._output.line(self._output.paint("* " + harmless(text), style))


class _Binary:
    """Binary data that is not written. body: the body that it is part of, None outside of bodies."""

    def __init__(self, body: MessageBody | None) -> None:
        self.body = body
        self._digest = hashlib.sha256()
        self._size = 0
        self._head = b""

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        if len(self._head) < WINDOW:
            self._head += data[:WINDOW]
        self._size += len(data)
        self._digest.update(data)

    def text(self, side: int) -> str:
        """Return what it is: by its first bytes, as declared, its size and hash."""
        kind = kind_by_signature(self._head)
        size = count_text(self._size, "byte")
        said = say("{bytes} of the {side}, binary", bytes=size, side=say(NAMES[side]))
        facts = [said if kind is None else labelled(said, retold(kind))]
        if self.body is not None and self.body.declared is not None:
            facts.append(say("declared as {type}", type=self.body.declared))
        return clauses(*facts, f"SHA-256 {self._digest.hexdigest()}")


class _Lines:
    """Writes text as lines with the mark of their side, as the bytes come."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._decoders = [codecs.getincrementaldecoder("utf-8")("backslashreplace") for _ in NAMES]
        self._side = -1
        self._at_start = True
        self._return = False

    def write(self, side: int, data: bytes) -> None:
        """Write the next bytes of a side. What another side said is ended first."""
        if side != self._side:
            self.end()
            self._side = side
        decoder = self._decoders[side]
        is_plain = not decoder.getstate()[0] and not data.translate(None, _HARMLESS)  # nothing before it that it completes
        self._write(decoder.decode(data), is_plain)

    def end(self) -> None:
        """End the line."""
        if self._side < 0:
            return
        self._write(self._decoders[self._side].decode(b"", True))
        if self._return:
            self._return = False
            self._output.write(self._shown("\r", False).encode("ascii"))
        self._decoders[self._side].reset()
        if not self._at_start:
            self._output.write(b"\n")
            self._at_start = True
        self._side = -1

    def _write(self, text: str, is_plain: bool = False) -> None:
        """Write text. is_plain: whether it is known to be harmless but for line ends and tabs."""
        if self._return and text:
            self._return = False
            text = "\r" + text
        if text.endswith("\r"):  # perhaps the first half of a line end
            self._return = True
            text = text[:-1]
        if "\r" in text:
            text = text.replace("\r\n", "\n")
        if text and not self._write_plain(text, is_plain and "\r" not in text):
            self._write_lines(text)

    def _write_plain(self, text: str, is_plain: bool) -> bool:
        """Write text in which only line ends and tabs are not printable, all of its lines at once. Return False for others."""
        if self._output.colored or not (is_plain or is_harmless(text.replace("\n", "").replace("\t", ""))):
            return False
        mark = MARKS[self._side]
        blank = mark.rstrip() + "\n"
        ends = text.endswith("\n")
        body = text[:-1] if ends else text
        lines = ("" if not self._at_start else mark) + body.replace("\n", "\n" + mark) + ("\n" if ends else "")
        if mark + "\n" in lines:
            lines = lines.replace("\n" + mark + "\n", "\n" + blank).replace("\n" + mark + "\n", "\n" + blank)
            lines = blank + lines.removeprefix(mark + "\n") if lines.startswith(mark + "\n") else lines
        self._at_start = ends
        self._output.write(lines.encode(self._output.encoding, "backslashreplace"))
        return True

    def _write_lines(self, text: str) -> None:
        *lines, rest = text.split("\n")
        shown = [self._shown(line) + "\n" if line or not self._at_start else self._blank() for line in lines]
        if rest:
            shown.append(self._shown(rest, False))
        self._output.write("".join(shown).encode(self._output.encoding, "backslashreplace"))

    def _shown(self, text: str, ends: bool = True) -> str:
        """Return a line, or a part of one, made harmless. If it begins a line, the mark of its side is in front."""
        mark = MARKS[self._side] if self._at_start else ""
        self._at_start = ends
        kept = harmless(text) if "\t" not in text else "\t".join(map(harmless, text.split("\t")))
        return self._output.paint(mark + kept, STYLES[self._side])

    def _blank(self) -> str:
        return self._output.paint(MARKS[self._side].rstrip(), STYLES[self._side]) + "\n"


def _resumes(data: bytes) -> bool:
    """Return whether a record is text, so that binary data before it has ended."""
    return len(data) >= _RESUMING and is_plain(data)
