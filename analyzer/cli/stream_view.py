"""Writes the data that the two sides of a session sent, in four forms: text, hex, the raw bytes, JSON.

A turn is the data that one side sends until the other side sends, or in QUIC until another stream goes on. In text and hex each
line begins with a mark of its sender, as in `curl -v`: `>` is the client, `<` the server, `*` this program. So no bytes of the
session can look like a line of this program.
"""

from collections.abc import Callable
from typing import Protocol

from analyzer.analysis.missing_data import Missing
from analyzer.capture.frame_places import FramePlaces
from analyzer.cli.output import Output, complain
from analyzer.store.clock import rfc3339
from analyzer.store.packet_info import place_record
from analyzer.store.session_record import json_line
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

STREAMS_MAX = 1 << 16
"""The most streams whose offsets are kept; then they begin at 0 again."""

SHOWN = 8
"""The most pieces of missing data that are reported one by one, if the output has no place for them."""


NO_STREAM = -1
"""Stands for the number of a stream where a session has no streams."""

Shows = Callable[[int, int, int], bool]
"""Tells whether what a side (0 is the client) sent at a time, in nanoseconds since 1970, and in a stream, is written."""


class View(Protocol):
    """A form in which the data of a session is written.

    sees_all: whether it takes also what is not to be written, because it reads a protocol.
    """

    sees_all: bool

    def begin(self, alpn: bytes | None) -> None:
        """Begin, with the protocol that the session agreed on (ALPN)."""

    def data(self, side: int, data: bytes, frame: int, at: int, stream: int = NO_STREAM, end: bool = False) -> None:
        """Write the next bytes of a side; 0 is the client. stream: of QUIC. end: whether they are its last."""

    def reset(self, side: int, stream: int, code: int, frame: int, at: int) -> None:
        """Handle that a side resets a QUIC stream with this error code."""

    def miss(self, side: int, stream: int, length: int | None) -> None:
        """Handle that bytes of a side are missing in a QUIC stream; `missing` writes it. length: None if it is not known."""

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


class HexView:
    """Writes sixteen bytes per line, with their offset in the data of their side. Missing data is not counted."""

    sees_all = False

    def __init__(self, output: Output) -> None:
        self._output = output
        self._turn = -1, NO_STREAM
        self._rest = b""
        self._offsets: dict[tuple[int, int], int] = {}
        self._first = -1

    def begin(self, alpn: bytes | None) -> None:
        """See `View.begin`."""

    def data(self, side: int, data: bytes, frame: int, at: int, stream: int = NO_STREAM, end: bool = False) -> None:
        """See `View.data`."""
        if not data:
            return
        if (side, stream) != self._turn:
            self.close()
            self._turn = side, stream
            self._first = at if self._first < 0 else self._first
            self.note(chunk_text(side, frame, at, self._first, None if stream == NO_STREAM else stream))
        data = self._rest + data
        whole = len(data) - len(data) % _LINE
        self._put(data[:whole])
        self._rest = data[whole:]

    def reset(self, side: int, stream: int, code: int, frame: int, at: int) -> None:
        """See `View.reset`."""

    def miss(self, side: int, stream: int, length: int | None) -> None:
        """See `View.miss`."""

    def missing(self, missing: Missing) -> None:
        """See `View.missing`."""
        self.close()
        self._turn = -1, NO_STREAM
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
        """Write data as lines. The last one may be shorter."""
        side = self._turn[0]
        paint, style = self._output.paint, STYLES[side]
        mark, offset = MARKS[side], self._offsets.get(self._turn, 0)
        digits, characters = data.hex(" "), data.translate(_ASCII).decode("ascii")
        whole = len(data) - len(data) % _LINE
        lines = [
            f"{mark}{offset + pos:08x}  {digits[3 * pos : 3 * pos + 23]}  {digits[3 * pos + 24 : 3 * pos + 47]}  "
            f"{characters[pos : pos + _LINE]}"
            for pos in range(0, whole, _LINE)
        ]
        if whole < len(data):
            rest = digits[3 * whole :]
            lines.append(f"{mark}{offset + whole:08x}  {rest[:23]:23}  {rest[24:]:23}  {characters[whole:]}")
        if self._output.colored:
            lines = [paint(line, style) for line in lines]
        if len(self._offsets) >= STREAMS_MAX:
            self._offsets.clear()
        self._offsets[self._turn] = offset + len(data)
        if lines:
            self._output.line("\n".join(lines))


class RawView:
    """Writes the bytes as they are. Missing data is reported on standard error."""

    sees_all = False

    def __init__(self, output: Output) -> None:
        self._output = output
        self._n_missing = 0

    def begin(self, alpn: bytes | None) -> None:
        """See `View.begin`."""

    def data(self, side: int, data: bytes, frame: int, at: int, stream: int = NO_STREAM, end: bool = False) -> None:
        """See `View.data`."""
        self._output.write(data)

    def reset(self, side: int, stream: int, code: int, frame: int, at: int) -> None:
        """See `View.reset`."""

    def miss(self, side: int, stream: int, length: int | None) -> None:
        """See `View.miss`."""

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

    sees_all = False

    def __init__(self, output: Output, places: FramePlaces) -> None:
        """places: in which capture a frame is."""
        self._output = output
        self._places = places
        self._offsets: dict[tuple[int, int], int] = {}

    def begin(self, alpn: bytes | None) -> None:
        """See `View.begin`."""

    def data(self, side: int, data: bytes, frame: int, at: int, stream: int = NO_STREAM, end: bool = False) -> None:
        """See `View.data`."""
        if not data and not end:
            return
        offset = self._offsets.pop((side, stream), 0)
        record = {
            "from": NAMES[side],
            "frame": frame,
            "time": rfc3339(at),
            "stream": None if stream == NO_STREAM else stream,
            "offset": offset,
            "length": len(data),
            "data": data.hex(),
            "end": end if stream != NO_STREAM else None,
            "missing": None,
            **place_record(self._places, frame),
        }
        if not end:
            if len(self._offsets) >= STREAMS_MAX:
                self._offsets.clear()
            self._offsets[side, stream] = offset + len(data)
        self._output.write(json_line(record))

    def reset(self, side: int, stream: int, code: int, frame: int, at: int) -> None:
        """See `View.reset`."""

    def miss(self, side: int, stream: int, length: int | None) -> None:
        """See `View.miss`."""

    def missing(self, missing: Missing) -> None:
        """See `View.missing`."""
        record = {
            "from": None if missing.role is None else NAMES[missing.role],
            "frame": None,
            "time": None,
            "stream": None,
            "offset": None if missing.role is None else self._offsets.get((missing.role, NO_STREAM), 0),
            "length": 0,
            "data": "",
            "end": None,
            "missing": {"bytes": missing.n_bytes, "records": missing.records, "reason": missing.reason},
            "capture": None,
            "frame_in_capture": None,
        }
        self._output.write(json_line(record))

    def close(self) -> None:
        """See `View.close`."""


def chunk_text(side: int, frame: int, at: int, first: int, stream: int | None = None) -> str:
    """Return the header line of a turn. stream: of HTTP/2 or QUIC, None for other data."""
    time = f"{moment_text(at)} UTC" if at >= 0 else ""
    number = "" if stream is None else say("stream {n}", n=stream)
    return clauses(say(NAMES[side]), say("frame {n}", n=frame), number, time, offset_text(at, first) if at != first else "")
