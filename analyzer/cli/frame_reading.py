"""Reads the frames of captures once for several display filters, and says of each frame which of them it passes.

What only looks at headers costs what finding the headers costs: compiled tests ask the headers (`filters.header_filter`), and
no connection is followed. Another filter, or a field whose values are wanted, makes the engine read along.
"""

from argparse import Namespace
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from analyzer.capture.frame import Frame
from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.interruption import Interruption
from analyzer.cli.output import Output
from analyzer.cli.part_arguments import part_of
from analyzer.cli.part_frames import PartFrames, frames_of
from analyzer.flows.fragments import Defragmenter
from analyzer.packet.header_tests import HeaderTest, next_passing
from analyzer.packet.layer_places import LayerPlaces

if TYPE_CHECKING:
    from analyzer.analysis.conversations import Conversations
    from analyzer.cli.key_files import Keys
    from analyzer.filters.compiled_filter import CompiledFilter
    from analyzer.filters.field import Field
    from analyzer.filters.frame_values import FrameValues
    from analyzer.tls.events import Event

Take = Callable[["View"], None]
"""Takes a frame that passes the first filter."""


class View:
    """A frame. The same object is filled again for every frame.

    layers: its headers. passed: for each filter but the first, whether the frame passes. values: of the wanted fields, None if
    none are wanted. events: that it caused in the engine, none where no engine reads along.
    """

    __slots__ = ("events", "frame", "layers", "passed", "values")

    def __init__(self, frame: Frame, layers: LayerPlaces) -> None:
        self.frame = frame
        self.layers = layers
        self.passed: list[bool] = []
        self.values: FrameValues | None = None
        self.events: Sequence[Event] = ()


class FrameReading:
    """One reading of captures.

    filters: the first one decides about each frame, None if all are taken; the others are only asked. fields: whose values are
    wanted. needs_engine: whether connections are followed.
    """

    def __init__(
        self, options: Namespace, output: Output, filters: "Sequence[CompiledFilter | None]", fields: "Collection[Field]" = ()
    ) -> None:
        self._options = options
        self._output = output
        self._filters = filters
        self._fields = fields
        self._tests = _header_tests(filters) if not fields else None
        self.needs_engine = False
        if self._tests is None:
            from analyzer.filters.frame_values import needs_of

            self._asked = {*fields, *(field for one in filters if one is not None for field in one.fields)}
            self.needs_engine = needs_of(self._asked)[0]

    def run(self, capture_run: CaptureRun, take: Take) -> None:
        """Read the captures to their end, or until the first signal, and give each frame that passes to `take`."""
        self._run(capture_run, take, None)

    def count(self, capture_run: CaptureRun, counted: "Conversations") -> None:
        """Read the captures likewise, and count each frame that passes."""
        self._run(capture_run, lambda view: counted.count(view.layers, view.frame), counted)

    def _run(self, capture_run: CaptureRun, take: Take, counted: "Conversations | None") -> None:
        part = part_of(self._options)
        if self._tests is not None and part is None and counted is not None:
            self._count_headers(capture_run, counted, self._tests[0])
            return
        if self._tests is not None and not (part is not None and part.names):
            self._read_headers(capture_run, take, self._tests, None if part is None else PartFrames(part, {}))
            return
        from analyzer.cli.key_files import read_keys

        keys = read_keys(self._options, capture_run, patient=False)
        wanted = frames_of(part, self._options, self._output, keys)
        if self._tests is not None:
            self._read_headers(capture_run, take, self._tests, wanted)
        else:
            self._read_values(capture_run, take, wanted, keys)

    @staticmethod
    def _count_headers(capture_run: CaptureRun, counted: "Conversations", test: HeaderTest) -> None:
        layers, defragmenter = LayerPlaces(), Defragmenter()
        with Interruption(capture_run.reader.stop), closing(capture_run.packet_readers()) as readers:
            for reader in readers:
                counted.count_passing(reader, layers, test, defragmenter)

    def _read_headers(
        self, capture_run: CaptureRun, take: Take, tests: Sequence[HeaderTest], wanted: PartFrames | None
    ) -> None:
        layers, defragmenter, (first, *others) = LayerPlaces(), Defragmenter(), tests
        packet = layers.packet
        with Interruption(capture_run.reader.stop), closing(capture_run.packet_readers()) as readers:
            for reader in readers:
                frame = reader.frame
                view = View(frame, layers)
                while next_passing(reader, layers, first, defragmenter):
                    if wanted is None or wanted(packet, frame):
                        if others:
                            view.passed = [test.holds(layers) for test in others]
                        take(view)

    def _read_values(self, capture_run: CaptureRun, take: Take, wanted: PartFrames | None, keys: "Keys") -> None:
        from analyzer.cli.filtered_frames import frame_engine, read_facts, take_references
        from analyzer.engine.run import Listener
        from analyzer.filters.frame_values import FrameValues, needs_of

        options, output, asked = self._options, self._output, self._asked
        for one in self._filters:
            if one is not None:
                take_references(options, output, keys, one)
        facts = read_facts(options, output, keys, asked) if needs_of(asked)[1] else None
        engine = frame_engine(keys) if self.needs_engine else None
        values = FrameValues(asked, engine, facts)
        layers = values.layers
        first, *others = self._filters
        view = View(Frame(), layers)
        view.values = values

        def look(frame: Frame, events: "Sequence[Event]") -> None:
            values.take(frame, events)
            if (first is None or first.matches(values)) and (wanted is None or wanted(layers.packet, frame)):
                view.frame, view.events = frame, events
                view.passed = [one is None or one.matches(values) for one in others]
                take(view)

        class Frames(Listener):
            """Gives every frame to `look`."""

            sees_packets = True

            def packet(self, packet: Any, frame: Frame, events: "Sequence[Event]") -> None:
                """See `Listener.packet`."""
                look(frame, events)

        if engine is not None:
            capture_run.run(engine, [Frames()])
            return
        with Interruption(capture_run.reader.stop), closing(capture_run.packet_readers()) as readers:
            for reader in readers:
                while reader.advance():
                    look(reader.frame, ())


def _header_tests(filters: "Sequence[CompiledFilter | None]") -> list[HeaderTest] | None:
    """Return the fast form of every filter; None if one of them has none."""
    tests = []
    for one in filters:
        if one is None:
            tests.append(HeaderTest())
            continue
        from analyzer.filters.header_filter import header_test

        test = None if one.reference_fields else header_test(one.tree)
        if test is None:
            return None
        tests.append(test)
    return tests
