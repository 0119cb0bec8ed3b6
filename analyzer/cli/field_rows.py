"""`packets -T` and `--columns`: chosen fields of each packet, in the forms of tshark or in a table.

Frames go through the headers alone where all that is asked for is in them, and through the engine otherwise. Rows of
`-T fields` from headers alone are written by `header_field_rows`. Columns of the packet list (`_ws.col.*`) are written by the
describer of the packet list.
"""

from argparse import Namespace
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from analyzer.capture.frame import Frame
from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.display_filter import filter_of, say_what_was_given_up
from analyzer.cli.field_writers import RowWriter, row_writer
from analyzer.cli.interruption import Interruption
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import Output
from analyzer.cli.packet_columns import ColumnWriter
from analyzer.cli.part_arguments import part_of
from analyzer.cli.time_format import TimeText
from analyzer.cli.tshark_arguments import PACKET_LISTS
from analyzer.engine import Engine, Listener
from analyzer.packet.packet import Packet
from analyzer.store.http_messages import HttpMessages
from analyzer.store.packet_info import Describer
from analyzer.tls.events import Event

if TYPE_CHECKING:
    from analyzer.cli.part_listener import Wanted
    from analyzer.filters.compiled_filter import CompiledFilter
    from analyzer.filters.event_values import EventValues
    from analyzer.filters.field import Field
    from analyzer.filters.field_columns import FieldColumns
    from analyzer.filters.field_layers import FieldLayers
    from analyzer.filters.frame_values import FrameValues


def run(options: Namespace, output: Output, columns: "FieldColumns") -> int:
    """Print the fields of the packets of the captures, and return the exit status."""
    from analyzer.cli.filtered_frames import frame_engine, quick_matches, read_facts, run_connections, take_references
    from analyzer.filters.event_values import needs_places
    from analyzer.filters.frame_values import FrameValues, needs_of

    compiled = filter_of(options)
    layers = layers_of(options)
    capture_run = CaptureRun(options.captures, output, streaming=True)
    keys = read_keys(options, capture_run, patient=False)
    part = capture_run.part = part_of(options)
    fields = set(columns.fields | (layers.fields if layers is not None else frozenset()))
    if compiled is not None:
        take_references(options, output, keys, compiled)
        fields |= compiled.fields
    wanted = None
    if part is not None:
        from analyzer.cli.part_frames import frames_of

        wanted = frames_of(part, options, output, keys)
    needs_engine, needs_facts = needs_of(fields)
    facts = read_facts(options, output, keys, fields) if needs_facts else None
    told = None
    if compiled is not None and not (columns.list_columns or columns.needs_layers) and wanted is None:
        told = told_values(compiled, fields)
    engine = None
    if needs_engine or wanted is not None or columns.list_columns:
        engine = frame_engine(keys, told is None or needs_places(fields))
    if engine is not None and told is not None:
        told.follow(engine)
    writers = [_writer(options, columns, layers, one) for one in options.outputs]
    rows = FieldRows(columns, FrameValues(fields, engine, facts), compiled, writers, options.time_format or "r")
    given = keys["keylog"] is not None or keys["private_keys"] or keys["psks"]  # a resumed session needs one before it
    matches = quick_matches(options, output, keys) if told is not None and not given else None
    if engine is None:
        _read_headers(capture_run, rows)
    elif matches is not None:
        run_connections(capture_run, engine, [rows], matches)
    elif told is not None:
        _read_told(capture_run, engine, rows, told)
    else:
        rows.use(engine, wanted)
        capture_run.run(engine, [rows])
    if not capture_run.has_no_capture():
        for writer in writers:
            writer.close()
    if compiled is not None:
        say_what_was_given_up(compiled)
    return capture_run.status()


def layers_of(options: Namespace) -> "FieldLayers | None":
    """Return what makes the layers of packets, where no field is named; None where fields are."""
    from analyzer.filters.field_layers import FieldLayers
    from analyzer.filters.field_table import field_table

    return None if options.row_fields or _is_list(options) else FieldLayers(field_table())


def _is_list(options: Namespace) -> bool:
    """Return whether a packet list is asked for, and not rows of fields."""
    return options.columns is not None or options.style in PACKET_LISTS


def _writer(
    options: Namespace, columns: "FieldColumns", layers: "FieldLayers | None", output: Output
) -> RowWriter | ColumnWriter:
    if options.columns is not None:
        return ColumnWriter(output, options.columns)
    return row_writer(options, columns, layers, output)


class FieldRows(Listener):
    """Takes every frame, and writes the rows of those that are shown."""

    sees_packets = True

    def __init__(
        self,
        columns: "FieldColumns",
        values: "FrameValues",
        compiled: "CompiledFilter | None",
        writers: "Sequence[RowWriter | ColumnWriter]",
        time_format: str = "r",
    ) -> None:
        """values: find the fields of the columns and of the filter. compiled: the filter that shown frames pass.

        time_format: of the column time, as `TimeText` takes it.
        """
        self._columns = columns
        self.values = values
        self._passes = compiled.matches if compiled is not None else None
        self._writers = writers
        self._wanted: Wanted | None = None
        self._plaintext = HttpMessages()
        self._describer: Describer | None = None
        self._time = TimeText(time_format)

    def use(self, engine: Engine, wanted: "Wanted | None") -> None:
        """Say through which engine the frames go, and which of them are shown; None for all."""
        self._wanted = wanted
        if self._columns.list_columns:
            self._describer = Describer(engine, self._plaintext)

    def take_frame(self, frame: Frame, events: Sequence[Event] = ()) -> bool:
        """Take the next frame, and return whether the filter passes it."""
        self.values.take(frame, events)
        return self._passes is None or self._passes(self.values)

    def take_told(self, frame: Frame, events: Sequence[Event]) -> bool:
        """The same for a frame whose headers were found before."""
        self.values.take_found(frame, events)
        return self._passes is None or self._passes(self.values)

    def show(self, frame: Frame, words: dict[str, str] | None = None) -> None:
        """Write the row of the frame that was taken last. words: the columns of the packet list."""
        self._time.shown()
        texts = self._columns.texts(self.values, words)
        for writer in self._writers:
            writer.row(frame, texts, self.values)
        self.values.note_shown()

    def packet(self, packet: Packet, frame: Frame, events: Sequence[Event]) -> None:
        """See `Listener.packet`."""
        passed = self.take_frame(frame, events)
        words = self._words(frame, events)
        if passed and (self._wanted is None or self._wanted(packet, frame)):
            self.show(frame, words)

    def _words(self, frame: Frame, events: Sequence[Event]) -> dict[str, str] | None:
        """Return the columns of the packet list, None without one. Every frame is described, so that windows are followed."""
        if self._describer is None:
            return None
        if events:
            self._plaintext.take(events)
        source, destination, protocol, info = self._describer.describe(frame, events)
        if events:
            self._plaintext.clear()
        return {
            "number": str(frame.number),
            "time": self._time.take(frame.at),
            "source": source,
            "destination": destination,
            "protocol": protocol,
            "length": str(frame.wire_length),
            "info": info,
        }

    def end_turn(self) -> None:
        """See `Listener.end_turn`."""
        for writer in self._writers:
            writer.flush()


def told_values(compiled: "CompiledFilter", fields: Iterable["Field"]) -> "EventValues | None":
    """Return what knows the events of the frames that can pass a filter; None if others can pass it, or if the fields hang on
    frames before."""
    from analyzer.filters.event_values import event_values
    from analyzer.filters.header_places import header_fields
    from analyzer.filters.value_sources import is_of_one_frame

    if all(field.name in header_fields() or is_of_one_frame(field.name) for field in fields):
        return event_values(compiled)
    return None


def _read_told(capture_run: CaptureRun, engine: Engine, rows: FieldRows, told: "EventValues") -> None:
    """Give the rows the frames whose events can make them pass the filter."""
    from analyzer.engine.told_frames import next_told

    layers, defragmenter = rows.values.layers, rows.values.defragmenter
    with Interruption(capture_run.reader.stop), closing(capture_run.packet_readers()) as readers:
        for reader in readers:
            frame = reader.frame
            while next_told(engine, reader, layers, defragmenter):
                events = engine.take()
                if told.chosen(events) and rows.take_told(frame, events):
                    rows.show(frame)
            rows.end_turn()


def _read_headers(capture_run: CaptureRun, rows: FieldRows) -> None:
    """Give the rows every frame of the captures, without an engine."""
    with Interruption(capture_run.reader.stop), closing(capture_run.packet_readers()) as readers:
        for reader in readers:
            frame = reader.frame
            while reader.advance():
                if rows.take_frame(frame):
                    rows.show(frame)
            rows.end_turn()
