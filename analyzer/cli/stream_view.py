"""Writes the data that the two sides of a session sent, in four forms: text, hex, the raw bytes, JSON.

A turn is the data that one side sends until the other side sends. In text and hex each line begins with a mark of its sender,
as in `curl -v`: `>` is the client, `<` the server, `*` this program. So no bytes of the session can look like a line of this
program.
"""

import codecs
from typing import Protocol

from analyzer.analysis.missing_data import Missing
from analyzer.capture.frame_places import FramePlaces
from analyzer.cli.output import Output, complain
from analyzer.store.packet_info import place_record
from analyzer.store.session_record import json_line, rfc3339
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text, moment_text, offset_text
from analyzer.text.language import retold, say
from analyzer.text.punctuation import clauses

NAMES = ("client", "server")
MARKS = ("> ", "< ")
STYLES = ("cyan", "yellow")

_LINE = 16
"""Bytes in a line of hex."""

_ASCII = bytes(number if 0x20 <= number < 0x7F else 0x2E for number in range(256))

SHOWN = 8
"""The most pieces of missing data that are reported one by one, if the output has no place for them."""


class View(Protocol):
    """A form in which the data of a session is written."""

    def data(self, side: int, data: bytes, frame: int, at: int) -> None:
        """Write the next bytes of a side; 0 is the client."""

    def missing(self, missing: Missing) -> None:
        """Write that data is missing here."""

    def close(self) -> None:
        """Write what is still buffered."""


def missing_text(missing: Missing) -> str:
    """Return a text that describes missing data."""
    who = say("this session") if missing.role is None else say("the {side}", side=say(NAMES[missing.role]))
    records = count_text(missing.records, "record")
    if missing.n_bytes is not None:
        size = count_text(missing.n_bytes, "byte")
        one = missing.n_bytes == 1
        said = say(
            "{bytes} of {who} is not in the capture" if one else "{bytes} of {who} are not in the capture", bytes=size, who=who
        )
        return said + (say(", and {records} with them", records=records) if missing.records else "")
    if missing.records:
        reason = retold(str(missing.reason))
        if missing.role is None:
            return say("{records} of {who} before this did not open: {reason}", records=records, who=who, reason=reason)
        return say("{records} of {who} did not open: {reason}", records=records, who=who, reason=reason)
    return say("something of {who} is missing here: its stream does not go on with a record", who=who)


class TextView:
    """Writes text as UTF-8. What is not text, or would control a terminal, is escaped, except line ends and tabs."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._decoders = [codecs.getincrementaldecoder("utf-8")("backslashreplace") for _ in NAMES]
        self._side = -1
        self._at_start = True
        self._return = False
        self._first = -1

    def data(self, side: int, data: bytes, frame: int, at: int) -> None:
        """See `View.data`."""
        if side != self._side:
            self._end_turn()
            self._side = side
            self._first = at if self._first < 0 else self._first
            self.note(chunk_text(side, frame, at, self._first))
        self._write(self._decoders[side].decode(data))

    def missing(self, missing: Missing) -> None:
        """See `View.missing`."""
        self._end_turn()
        self._side = -1
        self.note(missing_text(missing), "alarm")

    def close(self) -> None:
        """See `View.close`."""
        self._end_turn()

    def note(self, text: str, style: str = "dim") -> None:
        """Write a line of this program."""
        self._output.line(self._output.paint("* " + harmless(text), style))

    def _end_turn(self) -> None:
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

    def _write(self, text: str) -> None:
        if self._return and text:
            self._return = False
            text = "\r" + text
        if text.endswith("\r"):  # perhaps the first half of a line end
            self._return = True
            text = text[:-1]
        *lines, rest = text.replace("\r\n", "\n").split("\n")
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


class HexView:
    """Writes sixteen bytes per line, with their offset in the data of their side. Missing data is not counted."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._side = -1
        self._rest = b""
        self._offsets = [0, 0]
        self._first = -1

    def data(self, side: int, data: bytes, frame: int, at: int) -> None:
        """See `View.data`."""
        if side != self._side:
            self.close()
            self._side = side
            self._first = at if self._first < 0 else self._first
            self.note(chunk_text(side, frame, at, self._first))
        data = self._rest + data
        whole = len(data) - len(data) % _LINE
        for pos in range(0, whole, _LINE):
            self._put(data[pos : pos + _LINE])
        self._rest = data[whole:]

    def missing(self, missing: Missing) -> None:
        """See `View.missing`."""
        self.close()
        self._side = -1
        self.note(missing_text(missing), "alarm")

    def close(self) -> None:
        """See `View.close`."""
        if self._rest:
            self._put(self._rest)
            self._rest = b""

    def note(self, text: str, style: str = "dim") -> None:
        """Write a line of this program."""
        self._output.line(self._output.paint("* " + harmless(text), style))

    def _put(self, data: bytes) -> None:
        side = self._side
        text = f"{MARKS[side]}{self._offsets[side]:08x}  {data[:8].hex(' '):23}  {data[8:].hex(' '):23}  "
        self._offsets[side] += len(data)
        self._output.line(self._output.paint(text + data.translate(_ASCII).decode("ascii"), STYLES[side]))


class RawView:
    """Writes the bytes as they are. Missing data is reported on standard error."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._n_missing = 0

    def data(self, side: int, data: bytes, frame: int, at: int) -> None:
        """See `View.data`."""
        self._output.write(data)

    def missing(self, missing: Missing) -> None:
        """See `View.missing`."""
        self._n_missing += 1
        if self._n_missing <= SHOWN:
            complain(missing_text(missing))

    def close(self) -> None:
        """See `View.close`."""
        if self._n_missing > SHOWN:
            further = count_text(self._n_missing - SHOWN, "further loss", "further losses")
            complain(say("and {further}", further=further))


class JsonView:
    """Writes one object for each decrypted record or missing piece. `offset` counts the side's data without what is missing."""

    def __init__(self, output: Output, places: FramePlaces) -> None:
        """places: in which capture a frame is."""
        self._output = output
        self._places = places
        self._offsets = [0, 0]

    def data(self, side: int, data: bytes, frame: int, at: int) -> None:
        """See `View.data`."""
        record = {
            "from": NAMES[side],
            "frame": frame,
            "time": rfc3339(at),
            "offset": self._offsets[side],
            "length": len(data),
            "data": data.hex(),
            "missing": None,
            **place_record(self._places, frame),
        }
        self._offsets[side] += len(data)
        self._output.write(json_line(record))

    def missing(self, missing: Missing) -> None:
        """See `View.missing`."""
        record = {
            "from": None if missing.role is None else NAMES[missing.role],
            "frame": None,
            "time": None,
            "offset": None if missing.role is None else self._offsets[missing.role],
            "length": 0,
            "data": "",
            "missing": {"bytes": missing.n_bytes, "records": missing.records, "reason": missing.reason},
            "capture": None,
            "frame_in_capture": None,
        }
        self._output.write(json_line(record))

    def close(self) -> None:
        """See `View.close`."""


def chunk_text(side: int, frame: int, at: int, first: int) -> str:
    """Return the header line of a turn."""
    time = f"{moment_text(at)} UTC" if at >= 0 else ""
    return clauses(say(NAMES[side]), say("frame {n}", n=frame), time, offset_text(at, first) if at != first else "")
