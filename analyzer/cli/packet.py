"""`analyzer packet`: one packet: the field tree of every layer with the bytes of each field, and the bytes themselves."""

from argparse import Namespace
from collections.abc import Iterator, Sequence

from analyzer.analysis.traffic import link_name
from analyzer.capture.frame import Frame
from analyzer.cli.carried import Carried
from analyzer.cli.escape import harmless
from analyzer.cli.info import TCP
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import Output, Refusal
from analyzer.cli.quantities import count_text, moment_text
from analyzer.cli.reading import Reading
from analyzer.cli.records import Place, TlsLayer, place_before, speaks_tls, tls_layers
from analyzer.cli.table import cut
from analyzer.engine import Engine
from analyzer.packet.headers import read
from analyzer.packet.layers import tree
from analyzer.packet.packet import Packet
from analyzer.packet.tree import Field
from analyzer.tls.facts import Alert, HandshakeMessage

MAX_DUMP = 65536
"""Bytes of a frame that are dumped; captures hold frames of up to 128 MiB."""

MAX_DEPTH = 32
"""Structures in structures that are shown; the tables follow 16."""

_ROW = 16


def run(options: Namespace, output: Output) -> int:
    """Print one packet of a capture; the exit status."""
    reading = Reading([options.capture])
    carried = Carried()
    engine = Engine(True, True, *read_keys(options, reading, patient=False), application=carried.open)
    frame, trace = reading.reader.frame, engine.trace
    for walker in reading.walkers(output):
        while walker.advance():
            engine.learn(walker.secrets)
            if frame.number == options.frame:
                _print_packet(output, engine, frame, carried)
                output.flush()
                return 0
            engine.feed(frame)
            trace.clear()
            carried.clear()
        engine.drain()
    reading.status()
    n_frames = sum(facts.frames for facts in reading.reader.files)
    raise Refusal(f"{options.capture}: no frame {options.frame}: there are {count_text(n_frames, 'frame')}")


def _print_packet(output: Output, engine: Engine, frame: Frame, carried: Carried) -> None:
    packet = Packet()
    place: Place | None = None
    tcp = read(packet, frame.data, frame.start, frame.end, frame.link_type, frame.wire_length) and packet.protocol == TCP
    if tcp:
        place = place_before(engine.connections, packet)
    engine.feed(frame)
    captured = frame.end - frame.start
    cut_note = f", of which {captured:,} were captured" if frame.wire_length > captured else ""
    link = link_name(frame.link_type)
    output.line(output.paint(f"Frame {frame.number}", "bold") + f": {count_text(frame.wire_length, 'byte')}{cut_note}, {link}")
    output.line(f"  captured {moment_text(frame.at)} UTC by interface {frame.interface}, at byte {frame.offset:,} of the file")
    if packet.problem:
        output.line("  " + output.paint(f"problem: {harmless(packet.problem)}", "yellow"))
    data = frame.data[frame.start : frame.end]
    start, end = packet.payload - frame.start, packet.payload_end - frame.start
    items = [item for _, item in engine.trace or ()]
    is_tls = tcp and start < end and (place is not None or bool(items) or speaks_tls(engine.connections, packet))
    for layer in tree(frame):
        if is_tls and layer.name == "Data" and layer.offset == start:
            for part in tls_layers(data, start, end, place, items):
                _print_tls(output, part)
        else:
            _print_layer(output, layer.name, layer.offset, layer.length, 0)
            for field in layer.fields:
                _print_field(output, field, 1, "")
    output.line()
    for line in hex_dump(data[:MAX_DUMP]):
        output.line(line)
    if len(data) > MAX_DUMP:
        output.line(f"and {count_text(len(data) - MAX_DUMP, 'further byte')}")
    for item in items:
        if isinstance(item, HandshakeMessage) and item.encrypted and item.raw:
            _print_plaintext(output, item.name, item.raw)
        elif isinstance(item, Alert) and item.encrypted and item.level >= 0:
            _print_plaintext(output, "alert", bytes((item.level, item.description)))
    for piece in carried.pieces:
        _print_plaintext(output, "application data", piece.data)


def _print_plaintext(output: Output, what: str, data: bytes) -> None:
    """What a record held, as it was before it was encrypted."""
    output.line()
    output.line(output.paint(f"Decrypted TLS ({count_text(len(data), 'byte')})", "bold") + f": {harmless(what)}")
    for line in hex_dump(data[:MAX_DUMP]):
        output.line(line)


def _print_tls(output: Output, part: TlsLayer) -> None:
    mark = "+" if part.apart else ""
    _print_layer(output, part.layer.name, part.layer.offset, part.layer.length, part.depth, mark)
    if part.note:
        output.line(" " * 13 + "  " * (part.depth + 1) + output.paint(f"({part.note})", "dim"))
    for field in part.layer.fields:
        _print_field(output, field, part.depth + 1, mark)


def _print_layer(output: Output, name: str, offset: int, length: int, depth: int, mark: str = "") -> None:
    line = output.paint(_range(offset, length, mark), "dim") + "  " * depth + output.paint(harmless(name), "bold")
    output.line(line + output.paint(f"  {count_text(length, 'byte')}", "dim"))


def _print_field(output: Output, field: Field, depth: int, mark: str) -> None:
    """A field and its parts; values longer than the line are cut, since the bytes stand below."""
    lead = "  " * depth
    label = f"{harmless(field.name)}: " if field.text else harmless(field.name)
    # A long value is not made harmless as a whole for the few columns that are shown of it.
    room = max(16, output.width - 13 - len(lead) - len(label))
    text = cut(harmless(field.text[: room + 1]), room)
    output.line(output.paint(_range(field.offset, field.length, mark), "dim") + lead + output.paint(label, "cyan") + text)
    if depth < MAX_DEPTH:
        for child in field.children:
            _print_field(output, child, depth + 1, mark)


def _range(offset: int, length: int, mark: str) -> str:
    """First and last byte in hex, as the dump counts them, in 13 columns."""
    if offset < 0:
        return " " * 13
    text = f"{mark}{offset:04x}" if length <= 1 else f"{mark}{offset:04x}-{offset + length - 1:04x}"
    return f"{text:<13}" if length else " " * 13


def hex_dump(data: Sequence[int]) -> Iterator[str]:
    """The bytes sixteen a line: their number in hex, themselves in hex, and as ASCII where they are printable."""
    for at in range(0, len(data), _ROW):
        row = bytes(data[at : at + _ROW])
        text = "".join(chr(octet) if 32 <= octet < 127 else "." for octet in row)
        halves = row[:8].hex(" "), row[8:].hex(" ")
        yield f"{at:04x}  {halves[0]:<23}  {halves[1]:<23}  {text}"
