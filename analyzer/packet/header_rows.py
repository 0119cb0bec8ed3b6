# cython: annotation_typing=False
"""Writes rows of header fields as text, without a Python object for each value: a column is a field of headers or of the frame.

The cells are those of `tshark -T fields`: numbers in decimal, or in hex with all digits of their width, addresses, `True` and
`False`, seconds with nine digits. A field with several values has them all in its cell, or the first or the last. No value has
a character that would need an escape; who makes the rows chooses separators that no value has.
"""

from typing import Any

from analyzer.capture.frame import Frame
from analyzer.capture.frame_reader import FrameReader
from analyzer.packet.addresses import address_text
from analyzer.packet.header_tests import HeaderTest, kinds_of
from analyzer.packet.layer_places import LayerPlaces, Place

DECIMAL, HEXADECIMAL, BIT, HARDWARE, ADDRESS = range(5)
"""What a column shows of a header."""

FRAME_NUMBER, FRAME_LENGTH, CAPTURED, EPOCH, SINCE_FIRST, SINCE_LAST = range(5, 11)
"""What a column shows of the frame itself."""

ALL, FIRST, LAST = range(3)
"""Which values of a field are shown."""

ALPHABET = "0123456789abcdefxTruFls.:-"
"""All characters that a value can have."""

MAX_TEXTS = 65536
"""The most texts of IPv6 addresses that are kept."""

# C variables, which other modules cannot see.
_HEXADECIMAL, _BIT, _HARDWARE, _ADDRESS, _FRAME_NUMBER = HEXADECIMAL, BIT, HARDWARE, ADDRESS, FRAME_NUMBER
_FRAME_LENGTH, _CAPTURED, _EPOCH, _SINCE_FIRST = FRAME_LENGTH, CAPTURED, EPOCH, SINCE_FIRST
_FIRST, _LAST = FIRST, LAST
_DIGITS = b"0123456789abcdef"
_SECOND = 1_000_000_000


class HeaderColumn:
    """A column. places: of its field, without any for a fact of the frame. digits: of a number in hex, after `0x`."""

    __slots__ = ("digits", "form", "places")

    def __init__(self, form: int, places: tuple[Place, ...] = (), digits: int = 0) -> None:
        self.form = form
        self.places = places
        self.digits = digits


class HeaderRows:
    """Rows in one buffer, `out`. Every frame is told to `see`, and those with a row to `add`.

    separator, aggregator: the characters between cells, and between values in a cell. quote: around a cell, 0 for none.
    """

    __slots__ = (
        "_at", "_before", "_columns", "_first", "_texts", "aggregator", "occurrence", "out", "quote", "separator",
    )  # fmt: skip

    def __init__(
        self, columns: tuple[HeaderColumn, ...], separator: int, aggregator: int, quote: int = 0, occurrence: int = ALL
    ) -> None:
        self.out = bytearray()
        self.separator = separator
        self.aggregator = aggregator
        self.quote = quote
        self.occurrence = occurrence
        self._columns = columns
        self._texts: dict[bytes, bytes] = {}
        self._first = self._before = self._at = -1

    def kinds(self) -> int:
        """Return the kinds of headers that the columns look at, as `LayerPlaces.kinds`."""
        column: HeaderColumn
        found = 0
        for column in self._columns:
            found |= kinds_of(column.places)
        return found

    def see(self, frame: Frame) -> None:
        """Take the time of the next frame, for the columns that count from others."""
        if frame.at >= 0:
            self._before = self._at
            self._at = frame.at
            if self._first < 0:
                self._first = frame.at

    def add(self, layers: LayerPlaces, frame: Frame) -> None:
        """Add the row of the frame that was seen last. layers: its headers."""
        out = self.out
        column: HeaderColumn
        for index, column in enumerate(self._columns):
            if index > 0:
                out.append(self.separator)
            if column.form >= _FRAME_NUMBER:
                self._add_fact(out, column.form, frame)
            else:
                self._add_values(out, column, layers)
        out.append(10)

    def _add_values(self, out: bytearray, column: HeaderColumn, layers: LayerPlaces) -> None:
        """Add the values that the headers have at the places of a column."""
        seen = False
        start = len(out)
        for index in range(layers.count):
            for place in column.places:
                if not layers.is_at(index, place):
                    continue
                if not seen:
                    seen = True
                    if self.quote:
                        out.append(self.quote)
                        start = len(out)
                elif self.occurrence == _FIRST:
                    continue
                elif self.occurrence == _LAST:
                    del out[start:]
                else:
                    out.append(self.aggregator)
                if column.form >= _HARDWARE:
                    self._add_octets(out, column.form, layers.octets(index, place) or b"")
                    continue
                value = layers.number(index, place)
                if column.form == _BIT:
                    out.extend(b"True" if value else b"False")
                elif column.form == _HEXADECIMAL:
                    put_hexadecimal(out, value, column.digits)
                else:
                    put_number(out, value)
        if seen and self.quote:
            out.append(self.quote)

    def _add_octets(self, out: bytearray, form: int, octets: bytes) -> None:
        """Add an address."""
        n_bytes = len(octets)
        if form == _ADDRESS and n_bytes == 16:
            text = self._texts.get(octets)
            if text is None:
                if len(self._texts) >= MAX_TEXTS:
                    self._texts.clear()
                text = self._texts[octets] = address_text(octets).encode()
            out.extend(text)
            return
        for i in range(n_bytes):
            octet = octets[i] + 0
            if form == _ADDRESS:
                if i > 0:
                    out.append(0x2E)
                put_number(out, octet)
            else:
                if i > 0:
                    out.append(0x3A)
                out.append(_DIGITS[octet >> 4])
                out.append(_DIGITS[octet & 15])

    def _add_fact(self, out: bytearray, form: int, frame: Frame) -> None:
        """Add a fact of a frame, if it has it: times may be missing."""
        value = frame.number
        if form == _FRAME_LENGTH:
            value = frame.wire_length
        elif form == _CAPTURED:
            value = frame.end - frame.start
        elif form >= _EPOCH:
            before = 0 if form == _EPOCH else self._first if form == _SINCE_FIRST else self._before
            if frame.at < 0 or before < 0:
                return
            value = frame.at - before
        if self.quote:
            out.append(self.quote)
        if form >= _EPOCH:
            put_seconds(out, value)
        else:
            put_number(out, value)
        if self.quote:
            out.append(self.quote)


def put_number(out: bytearray, value: int) -> None:
    """Add a number that is not negative in decimal."""
    if value >= 10:
        put_number(out, value // 10)
    out.append(48 + value % 10)


def put_hexadecimal(out: bytearray, value: int, digits: int) -> None:
    """Add a number that is not negative in hex, with at least so many digits."""
    out.append(0x30)
    out.append(0x78)
    while digits < 16 and value >> 4 * digits:
        digits += 1
    for i in range(digits):
        out.append(_DIGITS[value >> 4 * (digits - 1 - i) & 15])


def put_seconds(out: bytearray, value: int) -> None:
    """Add nanoseconds as seconds with nine digits."""
    if value < 0:
        out.append(0x2D)
        value = -value
    whole = value // _SECOND
    put_number(out, whole)
    out.append(0x2E)
    put_padded(out, value - whole * _SECOND, 9)


def put_padded(out: bytearray, value: int, digits: int) -> None:
    """Add a number in so many decimal digits."""
    if digits > 1:
        put_padded(out, value // 10, digits - 1)
    out.append(48 + value % 10)


def add_rows(
    reader: FrameReader, layers: LayerPlaces, test: HeaderTest, defragmenter: Any, rows: HeaderRows, most: int
) -> bool:
    """Add the rows of the next frames that pass a test. Return False if the reader has no more frames now.

    layers: has to keep the kinds of headers that test and columns look at. defragmenter: as for `next_passing`. most: bytes of
    rows, after which it returns.
    """
    frame = reader.frame
    while reader.advance():
        if layers.find(frame.data, frame.start, frame.end, frame.link_type, frame.wire_length):
            datagram = defragmenter.feed(layers.packet, frame.at, frame.number)
            if datagram is not None:
                layers.find_rest(datagram)
            defragmenter.take_reports()
        rows.see(frame)
        if test.holds(layers):
            rows.add(layers, frame)
            if len(rows.out) >= most:
                return True
    return False
