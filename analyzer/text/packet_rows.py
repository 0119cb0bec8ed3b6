# cython: annotation_typing=False
"""Writes the rows of the packet list as JSON, CSV and text, without making their values first.

A row of JSON is that of `packet_info.packet_record`, byte for byte, for a fraction of the time; a row of CSV has its values.
"""

from typing import Any

from analyzer.capture.frame import Frame
from analyzer.capture.frame_places import FramePlaces
from analyzer.store.clock import Clock
from analyzer.store.declaration import path_text
from analyzer.text.escape import csv_cell, harmless

REMEMBERED = 4096
"""The most cells of addresses and protocols that are kept."""

_ARROW = 0x2192

UNUSUAL, SEPARATES, QUOTES = -1, 1, 2
"""What `_kind` returns: text that needs a closer look; the bits of a comma or semicolon, and of a quotation mark."""


class PacketRows:
    """Writes rows, each of a frame and of what `Describer.describe` says about it. places: in which capture a frame is."""

    __slots__ = ("_cells", "_clock", "_csv_place", "_dumps", "_json_place", "_path", "_places", "_quoted", "_texts")

    def __init__(self, places: FramePlaces) -> None:
        self._places = places
        self._quoted = Clock('"', "null")
        self._clock = Clock("", "")
        self._texts: dict[str, str] = {}
        self._cells: dict[str, str] = {}
        self._path = ""
        self._dumps: Any = None
        self._json_place = self._csv_place = b""

    def json(self, frame: Frame, source: str, destination: str, protocol: str, info: str) -> bytes:
        """Return the record of a frame as a line of JSON."""
        self._find(frame)
        head = (
            f'{{"number":{frame.number},"time":{self._quoted.write(frame.at)},"source":{self._text(source)},'
            f'"destination":{self._text(destination)},"protocol":{self._text(protocol)},"length":{frame.wire_length},"info":'
        )
        return b"".join((head.encode("utf-8"), self._dumps(info), self._json_place))

    def csv(self, frame: Frame, source: str, destination: str, protocol: str, info: str) -> bytes:
        """Return the record of a frame as a line of CSV (RFC 4180)."""
        self._find(frame)
        head = (
            f"{frame.number},{self._clock.write(frame.at)},{self._cell(source)},{self._cell(destination)},{self._cell(protocol)},"
            f"{frame.wire_length},"
        )
        return b"".join((head.encode("utf-8"), _info_cell(info).encode("utf-8"), self._csv_place))

    def line(self, cells: list[str], layout: list[tuple[int, int, bool]], gap: str) -> bytes:
        """Return cells as a line of text in UTF-8; empty if some character in them may not take one column.

        layout: index of each cell that is shown, its width, and whether it is aligned right. gap: what stands between them.
        """
        shown = []
        for index, room, right in layout:
            cell = cells[index]
            if _kind(cell) == UNUSUAL:
                return b""
            blanks = room - len(cell)
            if blanks > 0:
                cell = " " * blanks + cell if right else cell + " " * blanks
            shown.append(cell)
        return gap.join(shown).rstrip().encode("utf-8") + b"\n"

    def cells(self, frame: Frame, start: int, source: str, destination: str, protocol: str, info: str) -> list[str]:
        """Return the cells of a row of text: number, seconds since `start` (a time in nanoseconds), both ends, protocol, bytes,
        words, capture. They are harmless."""
        time = ""
        since = frame.at - start
        if frame.at >= 0 and since >= 0:
            micros = (since + 500) // 1000
            seconds = micros // 1_000_000
            time = f"{seconds}.{micros - seconds * 1_000_000:06d}"
        elif frame.at >= 0:  # the clock was set back
            time = f"{since / 1e9:.6f}"
        place = self._places.of(frame.number) if self._places.several else None
        where = "" if place is None else f"{harmless(place[0])} {place[1]}"
        return [
            f"{frame.number}", time, source, destination, _shown(protocol), f"{frame.wire_length}", _shown(info), where,
        ]  # fmt: skip

    def _text(self, value: str) -> str:
        """Return a text as JSON, an empty one as null; for texts that come again and again."""
        known = self._texts.get(value)
        if known is None:
            if len(self._texts) >= REMEMBERED:
                self._texts.clear()
            known = self._texts[value] = self._dumps(value or None).decode()
        return known

    def _cell(self, value: str) -> str:
        """Return a text as a cell of CSV; for texts that come again and again."""
        known = self._cells.get(value)
        if known is None:
            if len(self._cells) >= REMEMBERED:
                self._cells.clear()
            known = self._cells[value] = csv_cell(value)
        return known

    def _find(self, frame: Frame) -> None:
        """Set the keys and the cells that say in which capture a frame is."""
        if self._path and not self._places.several:
            return  # all frames are in one capture
        if self._dumps is None:
            from orjson import dumps  # which rows of text do not need

            self._dumps = dumps
        place: Any = self._places.of(frame.number)
        if place is None:
            path, number = "", None
        else:
            path, number = path_text(place[0]), place[1]
        self._path = path if number is None else ""
        shown = "null" if number is None else f"{number}"
        self._json_place = f',"capture":{self._text(path)},"frame_in_capture":{shown}}}\n'.encode()
        self._csv_place = f",{self._cell(path)},{'' if number is None else number}\r\n".encode()


def _kind(text: str) -> int:
    """Return UNUSUAL if a text has characters beyond printable ASCII and an arrow; else the bits SEPARATES and QUOTES."""
    found = 0
    for character in text:
        code = ord(character)
        if code < 0x20 or (code > 0x7E and code != _ARROW):
            return UNUSUAL
        if code in (0x2C, 0x3B):
            found |= SEPARATES
        elif code == 0x22:
            found |= QUOTES
    return found


def _shown(text: str) -> str:
    return text if _kind(text) != UNUSUAL else harmless(text)


def _info_cell(info: str) -> str:
    """Return a text as a cell of CSV, without a look at cells before: it hardly comes again."""
    kind = _kind(info)
    if kind == UNUSUAL or kind & QUOTES or not info or not info[0].isalnum() or info[len(info) - 1] == " ":
        return csv_cell(info)
    return f'"{info}"' if kind & SEPARATES else info
