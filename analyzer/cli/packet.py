"""`analyzer packet`: prints one packet: the field tree of every layer, the position of each field, and the bytes."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from analyzer.analysis.traffic import link_name
from analyzer.capture.frame import Frame
from analyzer.capture.frame_places import FramePlaces
from analyzer.cli.capture_paths import names_of, place_text
from analyzer.cli.capture_run import CaptureRun
from analyzer.cli.display_filter import filter_of, say_what_was_given_up
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import CommandError, Output
from analyzer.cli.part_arguments import part_of
from analyzer.cli.part_frames import PartFrames, frames_of
from analyzer.cli.table import cut
from analyzer.engine import Engine, Listener
from analyzer.engine.packet_tree import dtls_records, packet_tree, quic_packets
from analyzer.packet.field_tree import Field
from analyzer.packet.headers import read
from analyzer.packet.packet import Packet
from analyzer.text.escape import harmless
from analyzer.text.formatting import count_text, moment_text
from analyzer.text.language import retold, say
from analyzer.text.punctuation import beside, clauses, labelled
from analyzer.tls.dtls.datagram_records import DatagramRecords
from analyzer.tls.dtls.opened_record import RecordOpened
from analyzer.tls.events import Alert, Data, Event, HandshakeMessage
from analyzer.tls.quic.datagram_packets import DatagramPackets
from analyzer.tls.quic.quic_events import PacketSeen
from analyzer.tls.tls_layers import EMPTY, TlsLayer

if TYPE_CHECKING:
    from analyzer.cli.filtered_frames import FrameFilter

MAX_DUMP = 65536
"""The most bytes of a frame that are dumped. A capture can contain frames of up to 128 MiB."""

MAX_DEPTH = 32
"""The deepest nesting of structures that is shown. The field tables read at most 16 levels."""

_ROW = 16


def run(options: Namespace, output: Output) -> int:
    """Print one packet of a capture, and return the exit status."""
    capture_run = CaptureRun(options.captures, output)
    keys = read_keys(options, capture_run, patient=False)
    engine = Engine(detailed=True, reads_data=False, in_order=False, **keys)
    wanted = frames_of(part_of(options), options, output, keys)
    printer = PacketPrinter(output, engine, options.frame, capture_run.reader.places, wanted)
    capture_run.run(engine, [printer])
    if printer.done:
        output.flush()
        return 0
    capture_run.status()
    n_frames = sum(facts.frames for facts in capture_run.reader.files)
    raise CommandError(f"{names_of(options.captures)}: no frame {options.frame}: there are {count_text(n_frames, 'frame')}")


def print_all(options: Namespace, output: Output) -> int:
    """Print every packet that passes the filter and is in the part of the options, and return the exit status."""
    capture_run = CaptureRun(options.captures, output, streaming=True)
    keys = read_keys(options, capture_run, patient=False)
    engine = Engine(detailed=True, reads_data=False, in_order=False, **keys)
    part = capture_run.part = part_of(options)
    wanted = frames_of(part, options, output, keys)
    compiled, passes = filter_of(options), None
    if compiled is not None:
        from analyzer.cli.filtered_frames import frame_filter

        passes = frame_filter(compiled, options, output, keys, engine)
    capture_run.run(engine, [PacketPrinter(output, engine, None, capture_run.reader.places, wanted, passes)])
    if compiled is not None:
        say_what_was_given_up(compiled)
    if passes is not None and not passes.n_passed:
        passes.say_why(options, output, keys)
    return capture_run.status()


class PacketPrinter(Listener):
    """Prints the frame that has one number, or all frames."""

    sees_packets = True

    def __init__(
        self,
        output: Output,
        engine: Engine,
        number: int | None,
        places: FramePlaces,
        wanted: PartFrames | None,
        passes: "FrameFilter | None" = None,
    ) -> None:
        """number: None for all frames that `passes` passes. places: in which capture a frame is. wanted: tells which frames are
        shown; None for all."""
        self._passes = passes
        self._output = output
        self._engine = engine
        self._number = number
        self._places = places
        self._wanted = wanted
        self._quic = DatagramPackets()
        self._dtls = DatagramRecords()
        self._n_printed = 0

    def packet(self, packet: Packet, frame: Frame, events: Sequence[Event]) -> None:
        """See `Listener.packet`."""
        quic_packets(packet, self._quic)
        dtls_records(packet, self._dtls)
        if self._number is None:
            passed = self._passes is None or self._passes(frame, events)
            if passed and (self._wanted is None or self._wanted(packet, frame)):
                if self._n_printed:
                    self._output.line()
                self._n_printed += 1
                self._print(frame, events)
        elif frame.number == self._number and not self.done:
            if self._wanted is not None and not self._wanted(packet, frame):
                raise CommandError(f"frame {frame.number} is not in the part that --since, --until, --host and -Y choose")
            self._print(frame, events)
            self.done = True

    def _print(self, frame: Frame, events: Sequence[Event]) -> None:
        place = place_text(self._places, frame.number)
        layers = packet_tree(self._engine, frame, events, self._quic, self._dtls)
        _print_packet(self._output, frame, place, packet_problem(frame), layers, events)

    def end_turn(self) -> None:
        """See `Listener.end_turn`."""
        self._output.flush()


def packet_problem(frame: Frame) -> str:
    """Return what is wrong with the headers of a frame; empty if nothing is."""
    packet = Packet()
    read(packet, frame.data, frame.start, frame.end, frame.link_type, frame.wire_length)
    return packet.problem


def _print_packet(
    output: Output, frame: Frame, place: str, problem: str, layers: Sequence[TlsLayer], events: Sequence[Event]
) -> None:
    captured = frame.end - frame.start
    truncated = say(", of which {n:,} were captured", n=captured) if frame.wire_length > captured else ""
    link = link_name(frame.link_type)
    size = count_text(frame.wire_length, "byte")
    output.line(labelled(output.paint(say("Frame {n}", n=frame.number), "bold"), clauses(f"{size}{truncated}", link)))
    where = say(
        "captured {time} UTC by interface {interface}, at byte {offset:,} of the file",
        time=moment_text(frame.at),
        interface=interface_text(frame),
        offset=frame.offset,
    )
    output.line("  " + where)
    if place:
        output.line("  " + say("in {capture}", capture=place))
    if problem:
        output.line("  " + output.paint(say("problem: {problem}", problem=harmless(retold(problem))), "yellow"))
    for layer in layers:
        _print_layer(output, layer)
    output.line()
    data = frame.data[frame.start : frame.end]
    for line in hex_dump(data[:MAX_DUMP]):
        output.line(line)
    if len(data) > MAX_DUMP:
        output.line(say("and {further}", further=count_text(len(data) - MAX_DUMP, "further byte")))
    title = say("Decrypted QUIC") if any(isinstance(event, PacketSeen) for event in events) else say("Decrypted TLS")
    if any(isinstance(event, RecordOpened) for event in events):
        title = say("Decrypted DTLS")
    for event in events:
        if isinstance(event, HandshakeMessage) and event.encrypted and event.raw:
            _print_plaintext(output, title, event.name, event.raw)
        elif isinstance(event, Alert) and event.encrypted and event.level >= 0:
            _print_plaintext(output, title, say("alert"), bytes((event.level, event.description)))
    for event in events:
        if isinstance(event, Data):
            what = say("application data")
            if event.stream >= 0:
                what = clauses(what, say("stream {n}", n=event.stream))
            _print_plaintext(output, title, what, event.data)


def interface_text(frame: Frame) -> str:
    """Return the name and the number of the interface of a frame, as far as the capture has them: `eth0, id 0`."""
    interfaces = frame.interfaces
    index = frame.interface - interfaces[0].number if interfaces else -1
    name = interfaces[index].name if 0 <= index < len(interfaces) else None
    return clauses(harmless(name), f"id {index}") if name else str(frame.interface)


def _print_plaintext(output: Output, title: str, what: str, data: bytes) -> None:
    """Print the plaintext of a record, or of a frame of QUIC."""
    output.line()
    output.line(labelled(output.paint(beside(title, count_text(len(data), "byte")), "bold"), harmless(what)))
    for line in hex_dump(data[:MAX_DUMP]):
        output.line(line)


def _print_layer(output: Output, part: TlsLayer) -> None:
    mark = "+" if part.apart else ""
    layer = part.layer
    name = "  " * part.depth + output.paint(harmless(retold(layer.name)), "bold")
    line = output.paint(_range(layer.offset, layer.length, mark), "dim") + name
    output.line(line + output.paint(f"  {count_text(layer.length, 'byte')}", "dim"))
    if part.note:
        output.line(" " * 13 + "  " * (part.depth + 1) + output.paint(say("({text})", text=retold(part.note)), "dim"))
    for field in layer.fields:
        _print_field(output, field, part.depth + 1, mark)


def _print_field(output: Output, field: Field, depth: int, mark: str) -> None:
    """Print a field and its parts. A value longer than the line is truncated; its bytes are printed below."""
    lead = "  " * depth
    label = f"{harmless(field.name)}: " if field.text else harmless(field.name)
    # Only the columns of a long value that are shown are made harmless.
    room = max(16, output.width - 13 - len(lead) - len(label))
    text = cut(harmless(_entries_text(field) or field.text[: room + 1]), room)
    output.line(output.paint(_range(field.offset, field.length, mark), "dim") + lead + output.paint(label, "cyan") + text)
    if depth < MAX_DEPTH:
        for child in field.children:
            _print_field(output, child, depth + 1, mark)


def _entries_text(field: Field) -> str:
    """Return how many entries a list has, or that a field is empty; an empty text for a field that has a text of its own."""
    if not field.value and field.text == EMPTY:
        return say("(empty)")
    number, _, word = field.text.partition(" ") if field.children else ("", "", "")
    return count_text(int(number), "entry", "entries") if word in ("entry", "entries") else ""


def _range(offset: int, length: int, mark: str) -> str:
    """Return the first and the last byte in hex, as the dump counts them, in 13 columns."""
    if offset < 0:
        return " " * 13
    text = f"{mark}{offset:04x}" if length <= 1 else f"{mark}{offset:04x}-{offset + length - 1:04x}"
    return f"{text:<13}" if length else " " * 13


def hex_dump(data: Sequence[int]) -> Iterator[str]:
    """Yield lines of sixteen bytes each: the offset in hex, the bytes in hex, and the bytes as ASCII where printable."""
    for at in range(0, len(data), _ROW):
        row = bytes(data[at : at + _ROW])
        text = "".join(chr(octet) if 32 <= octet < 127 else "." for octet in row)
        halves = row[:8].hex(" "), row[8:].hex(" ")
        yield f"{at:04x}  {halves[0]:<23}  {halves[1]:<23}  {text}"
