"""Finds the frames that pass a display filter, and their sessions, in readings of their own.

A command that shows sessions knows only at their end whether one of their packets passed. So it reads the captures before: once
for what a filter wants to know of the future (`filters.capture_facts`) and which frames a session has, and once to ask the
filter about every frame. `packets` asks while it reads, unless the filter wants to know the future.
"""

from argparse import Namespace
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from analyzer.capture.frame import Frame
from analyzer.capture.frame_choice import choice_of
from analyzer.cli.capture_paths import names_of
from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.display_filter import filter_of, say_what_was_given_up
from analyzer.cli.interruption import Interruption
from analyzer.cli.key_files import Keys, read_keys
from analyzer.cli.output import CommandError, Output, complain
from analyzer.engine import Engine, Listener
from analyzer.filters.event_values import EventValues, by_frame, event_values
from analyzer.filters.frame_values import FrameValues, needs_of
from analyzer.filters.header_filter import header_test
from analyzer.flows.fragments import Defragmenter
from analyzer.packet.chosen_frames import mixed_ports, next_chosen
from analyzer.packet.header_tests import HeaderTest, next_passing
from analyzer.packet.layer_places import LayerPlaces
from analyzer.packet.packet import Packet
from analyzer.store.matches import Matches
from analyzer.tls.events import Event, SessionBegan, SessionEnded

if TYPE_CHECKING:
    from analyzer.filters.capture_facts import CaptureFacts
    from analyzer.filters.compiled_filter import CompiledFilter
    from analyzer.filters.field import Field

_WITH_HTTP = frozenset({"http", "http2", "http3", "ocsp", "websocket"})
"""Protocols whose fields need the exchanges of a first reading."""

_OF_HTTP = {
    "frame.protocols",
    "tcp.reassembled.data",
    "tcp.reassembled.length",
    "tcp.segment",
    "tcp.segment.count",
    "tcp.segments",
}
"""Fields of other protocols that need them too."""


class FrameFilter:
    """Asks a filter about every frame, in their order. values: of the last frame. n_passed: how many passed."""

    def __init__(self, compiled: "CompiledFilter", engine: Engine | None, facts: "CaptureFacts | None" = None) -> None:
        """engine: that every frame goes through before; None where the filter needs none."""
        self._compiled = compiled
        self._matches = compiled.matches
        self.values = FrameValues(compiled.fields, engine, facts)
        self.n_passed = 0
        self._asked = (0, False)

    def __call__(self, frame: Frame, events: Sequence[Event]) -> bool:
        """Return whether a frame passes. events: those that it caused. It may be asked again about the same frame."""
        if self._asked[0] != frame.number:
            self.values.take(frame, events)
            passed = self._matches(self.values)
            self.n_passed += passed
            self._asked = frame.number, passed
        return self._asked[1]

    def say_why(self, options: Namespace, output: Output, keys: Keys) -> None:
        """See `say_why`."""
        say_why(options, output, keys, self._compiled)


def frame_filter(compiled: "CompiledFilter", options: Namespace, output: Output, keys: Keys, engine: Engine) -> FrameFilter:
    """Return what asks a filter, for a command that reads every frame through that engine.

    The captures are read before if the filter wants to know the future. Raises CommandError if they are a pipe then.
    """
    take_references(options, output, keys, compiled)
    facts = read_facts(options, output, keys, compiled.fields) if needs_of(compiled.fields)[1] else None
    return FrameFilter(compiled, engine, facts)


def quick_matches(options: Namespace, output: Output, keys: Keys) -> Matches | None:
    """Return the frames that pass a filter of headers alone, or of TLS alone, found in a quick reading of its own.

    None without a filter, if the filter asks for more, and for captures that cannot be read twice.
    """
    compiled = filter_of(options)
    capture_run = CaptureRun(options.captures, output)
    if compiled is None or compiled.reference_fields or not capture_run.rereadable():
        return None
    found = Matches(compiled.text)
    test = header_test(compiled.tree)
    if test is not None:
        _scan(capture_run, test, found.add)
        return found
    values = event_values(compiled)
    if values is None:
        return None
    engine = frame_engine(keys, values.needs_places)
    values.follow(engine)
    capture_run.run(engine, [_EventMatches(compiled, values, found)])
    return found


class _EventMatches(Listener):
    """Asks a filter about the events of each frame, and notes the frames that pass with the connection of their session."""

    def __init__(self, compiled: "CompiledFilter", values: EventValues, found: Matches) -> None:
        self._matches = compiled.matches
        self._values = values
        self._found = found
        self._keys: dict[int, bytes] = {}

    def take(self, events: Sequence[Event]) -> None:
        """See `Listener.take`."""
        for event in events:
            if isinstance(event, SessionBegan):
                self._keys[event.session] = event.flow.key
        for frame, own in by_frame(self._values.chosen(events)):
            self._values.take(own)
            if self._matches(self._values):
                self._found.add(frame, self._keys.get(own[0].session, b""))
        for event in events:
            if isinstance(event, SessionEnded):
                self._keys.pop(event.session, None)


def _scan(capture_run: CaptureRun, test: HeaderTest, add: Callable[[int, bytes], None]) -> None:
    """Find the frames that pass a test of headers, with the keys of their connections."""
    layers, defragmenter = LayerPlaces(), Defragmenter()
    layers.kinds = test.kinds()
    with Interruption(capture_run.reader.stop), closing(capture_run.packet_readers()) as readers:
        for reader in readers:
            while next_passing(reader, layers, test, defragmenter):
                add(reader.frame.number, layers.packet.key())


def run_connections(capture_run: CaptureRun, engine: Engine, listeners: Sequence[Listener], matches: Matches) -> None:
    """Give the listeners the frames of each connection up to its last one that passed, and no other frame but the first.

    The engine is fed with these frames only. Without keys it tells of a connection the same as if it had read all until then.
    """
    packet, frames, keys = Packet(), matches.frames, matches.keys
    ports = mixed_ports(keys)
    with Interruption(capture_run.reader.stop), closing(capture_run.packet_readers()) as readers:
        for reader in readers:
            frame = reader.frame
            while next_chosen(reader, packet, frames, keys, ports) if engine.frames else reader.advance():
                engine.add_secrets(reader.secrets)
                engine.feed(frame)
                events = engine.take()
                for listener in listeners:
                    listener.packet(engine.packet, frame, events)
            for listener in listeners:
                listener.end_turn()
    for listener in listeners:
        listener.close()


def matches_of(options: Namespace, output: Output) -> Matches | None:
    """Return the frames that pass the filter of the options, and their sessions; None without a filter.

    Raises CommandError for captures and key logs that cannot be read twice.
    """
    compiled = filter_of(options)
    if compiled is None:
        return None
    if "-" in options.keylog:
        raise CommandError("-: for this filter, key logs are read twice: save them to a file first")
    keys = read_keys(options, CaptureRun(options.captures, output), patient=False)
    take_references(options, output, keys, compiled)
    facts = read_facts(options, output, keys, compiled.fields)
    found = Matches(compiled.text)
    test = None if compiled.reference_fields else header_test(compiled.tree)
    if test is not None:

        def add(frame: int, key: bytes) -> None:
            found.add(frame, key, facts.sessions_at(key, frame))

        _scan(CaptureRun(options.captures, output), test, add)
        if not found.n_frames:
            say_why(options, output, keys, compiled)
        return found
    engine = frame_engine(keys) if needs_of(compiled.fields)[0] else None
    passes = FrameFilter(compiled, engine, facts)

    def take(frame: Frame, events: Sequence[Event]) -> None:
        if passes(frame, events):
            key = passes.values.key()
            found.add(frame.number, key, facts.sessions_at(key, frame.number))

    _read_frames(options, output, engine, take)
    say_what_was_given_up(compiled)
    if not passes.n_passed:
        say_why(options, output, keys, compiled)
    return found


def read_facts(options: Namespace, output: Output, keys: Keys, wanted: "Collection[Field]") -> "CaptureFacts":
    """Return the facts of a first reading. wanted: the fields that will be asked for."""
    from analyzer.cli.trust_options import read_chains
    from analyzer.engine.plain_http import dispatcher_for
    from analyzer.filters.capture_facts import CaptureFacts
    from analyzer.store.chain_options import read_chains as default_chains

    capture_run = CaptureRun(options.captures, output)
    if not capture_run.rereadable():
        raise CommandError(
            f"{names_of(options.captures)}: for this filter, or these fields, this is read twice: save it to a file first"
        )
    names = {field.family for field in wanted}
    own = [field.name for field in wanted if field.family == "analyzer"]
    judged = any("chain" in name or "outcome" in name for name in own)
    chains = read_chains(options) if "trust" in options else default_chains()
    has_http = bool(names & _WITH_HTTP) or any(field.name in _OF_HTTP for field in wanted)
    facts = CaptureFacts(chains, records=bool(own), exchanges=has_http)
    facts.plain.keeps_bodies = any(field.name == "http.file_data" for field in wanted)
    settings: Keys = {**keys, "may_grow": None}
    reads_data = has_http or any("finding" in name for name in own)
    dispatches = dispatcher_for(facts.plain) if has_http else None
    engine = Engine(fields=False, reads_data=reads_data, watches_revocation=judged, dispatches=dispatches, **settings)
    capture_run.run(engine, [chains, facts])
    return facts


def frame_engine(keys: Keys, places: bool = True) -> Engine:
    """Return an engine that gives each frame its own events. places: as in `Engine`."""
    settings: Keys = {**keys, "may_grow": None}
    return Engine(detailed=True, places=places, reads_data=False, in_order=False, compares=False, **settings)


class _Frames(Listener):
    """Gives every frame to a function, until it is done."""

    sees_packets = True

    def __init__(self, take: "Take") -> None:
        self._take = take

    def packet(self, packet: Packet, frame: Frame, events: Sequence[Event]) -> None:
        """See `Listener.packet`."""
        self._take(frame, events)


def _read_frames(options: Namespace, output: Output, engine: Engine | None, take: "Take") -> None:
    """Give every frame of the captures to a function, through the engine if there is one."""
    capture_run = CaptureRun(options.captures, output)
    if engine is not None:
        capture_run.run(engine, [_Frames(take)])
        return
    with Interruption(capture_run.reader.stop), closing(capture_run.packet_readers()) as readers:
        for reader in readers:
            frame = reader.frame
            while reader.advance():
                take(frame, ())


def take_references(options: Namespace, output: Output, keys: Keys, compiled: "CompiledFilter") -> None:
    """Give the references of a filter their values, from the selected frame."""
    if not compiled.reference_fields:
        return
    number = options.selected_frame
    needs_engine, needs_facts = needs_of(compiled.reference_fields)
    facts = read_facts(options, output, keys, compiled.reference_fields) if needs_facts else None
    engine = frame_engine(keys) if needs_engine else None
    values = FrameValues(compiled.reference_fields, engine, facts)
    seen = False

    def take(frame: Frame, events: Sequence[Event]) -> None:
        nonlocal seen
        if frame.number <= number:
            values.take(frame, events)
        if frame.number == number:
            compiled.select(values)
            seen = True

    if not CaptureRun(options.captures, output).rereadable():
        raise CommandError(
            f"{names_of(options.captures)}: for this filter, or these fields, this is read twice: save it to a file first"
        )
    _read_frames(options, output, engine, take)
    if not seen:
        raise CommandError(f"{names_of(options.captures)}: no frame {number}, which --selected-frame names")


def say_why(options: Namespace, output: Output, keys: Keys, compiled: "CompiledFilter") -> None:
    """Say on standard error that no packet passed; and why, if the captures can be read again: which fields no packet has, and
    which values the others have. With -c or a capture filter, that is said of the chosen packets alone."""
    from analyzer.filters.value_tally import Tally

    if not CaptureRun(options.captures, output).rereadable():
        complain(f"no packet passes {compiled.text}")
        return
    needs_engine, needs_facts = needs_of(compiled.fields)
    engine = frame_engine(keys) if needs_engine else None
    values = FrameValues(compiled.fields, engine, read_facts(options, output, keys, compiled.fields) if needs_facts else None)
    tallies = {field: Tally(field) for field in sorted(compiled.fields, key=lambda field: field.name)}

    def take(frame: Frame, events: Sequence[Event]) -> None:
        values.take(frame, events)
        for field, tally in tallies.items():
            tally.take(values.values(field))

    _read_frames(options, output, engine, take)
    complain(f"no packet passes {compiled.text}")
    if choice_of(options.captures) is not None:
        complain("only the packets that -c or the capture filter chooses were looked at")
    for tally in tallies.values():
        complain(tally.sentence())


Take = Callable[[Frame, Sequence[Event]], None]
"""Takes a frame and the events that it caused."""
