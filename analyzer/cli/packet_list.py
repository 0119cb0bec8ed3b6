"""The packet list: a row for each frame, as text, JSON or CSV, while the captures are read."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from analyzer.capture.frame import Frame
from analyzer.capture.frame_places import FramePlaces
from analyzer.cli.output import Output
from analyzer.cli.table import Column, Table
from analyzer.engine import Engine, Listener
from analyzer.packet.packet import Packet
from analyzer.store.http_messages import HttpMessages
from analyzer.store.packet_info import Describer
from analyzer.text.escape import csv_row
from analyzer.text.packet_rows import PacketRows
from analyzer.tls.events import Event

if TYPE_CHECKING:
    from analyzer.cli.filtered_frames import FrameFilter
    from analyzer.cli.part_listener import Wanted
    from analyzer.filters.coloring import Coloring

COLUMNS = (
    Column("no.", 0, right=True),
    Column("time", 4, right=True),
    Column("source", 1, least=15),
    Column("destination", 2, least=15),
    Column("protocol", 3),
    Column("length", 6, right=True),
    Column("info", 5, rest=True),
    Column("capture", 7, limit=30),
)


class PacketList(Listener):
    """Writes a row for every frame."""

    sees_packets = True

    def __init__(
        self,
        output: Output,
        engine: Engine,
        places: FramePlaces,
        wanted: "Wanted | None" = None,
        passes: "FrameFilter | None" = None,
    ) -> None:
        """places: in which capture a frame is. wanted, passes: tell which frames get a row; None for all."""
        self._passes = passes
        self._output = output
        self._wanted = wanted
        self._start = -1
        self._plaintext = HttpMessages()
        self._describer = Describer(engine, self._plaintext)
        self._table = Table(COLUMNS, output, one_line=True) if output.form == "text" else None
        self._coloring = _coloring(engine) if self._table is not None and output.colored else None
        self._style = ""
        self._write = self._row_writer(output, places)

    def packet(self, packet: Packet, frame: Frame, events: Sequence[Event]) -> None:
        """See `Listener.packet`."""
        if events:
            self._plaintext.take(events)
        if self._start < 0:
            self._start = frame.at
        if self._coloring is not None:
            rule = self._coloring.rule(frame, events)
            self._style = rule.style if rule is not None else ""
        words = self._describer.describe(frame, events)  # of each frame: it follows windows and numbers
        passed = self._passes is None or self._passes(frame, events)
        if passed and (self._wanted is None or self._wanted(packet, frame)):
            self._write(frame, self._start, *words)
        if events:
            self._plaintext.clear()

    def end_turn(self) -> None:
        """See `Listener.end_turn`."""
        if self._table is not None:
            self._table.fix_widths()
        self._output.flush()

    def _row_writer(self, output: Output, places: FramePlaces) -> Callable[[Frame, int, str, str, str, str], None]:
        rows, table = PacketRows(places), self._table
        if table is None:
            if output.form == "csv":
                from analyzer.store.output_schemas import PACKET

                output.head = csv_row(list(PACKET["properties"])).encode()
            write = rows.json if output.form == "json" else rows.csv
            return lambda frame, _, *words: output.write(write(frame, *words))
        utf8 = output.encoding.lower().replace("-", "") == "utf8"

        def add(frame: Frame, start: int, source: str, destination: str, protocol: str, info: str) -> None:
            cells = rows.cells(frame, start, source, destination, protocol, info)
            if utf8 and table.layout and (line := rows.line(cells, table.layout, table.gap)):
                output.write(line)
            else:
                table.add(cells, self._style)

        return add


def _coloring(engine: Engine) -> "Coloring":
    from analyzer.filters.coloring import Coloring

    return Coloring(engine)
