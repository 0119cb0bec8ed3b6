"""`analyzer packets`: the packet list, one row a packet, while the captures are read."""

from argparse import Namespace
from collections.abc import Callable

from analyzer.capture.frame import Frame
from analyzer.cli.carried import Carried
from analyzer.cli.escape import csv_row, harmless
from analyzer.cli.info import Describer
from analyzer.cli.key_files import read_keys
from analyzer.cli.output import Output
from analyzer.cli.reading import Reading
from analyzer.cli.table import Column, Table
from analyzer.engine import Engine
from analyzer.store.record import json_line, rfc3339

COLUMNS = (
    Column("no.", 0, right=True),
    Column("time", 4, right=True),
    Column("source", 1),
    Column("destination", 2),
    Column("protocol", 3),
    Column("length", 6, right=True),
    Column("info", 5, rest=True),
)

STYLES = {"TCP": "", "UDP": "blue", "ARP": "yellow", "ICMP": "magenta", "ICMPv6": "magenta", "DNS": "blue", "MDNS": "blue"}


def run(options: Namespace, output: Output) -> int:
    """Print the packets of the captures; the exit status."""
    reading = Reading(options.captures)
    carried = Carried()
    engine = Engine(True, True, *read_keys(options, reading, patient=False), application=carried.open)
    describer = Describer(engine, carried)
    table = Table(COLUMNS, output, one_line=True) if options.format == "text" else None
    take = _row_writer(options.format, output, table, describer)
    if options.format == "csv":
        output.head = b"number,time,source,destination,protocol,length,info\r\n"
    frame, trace = reading.reader.frame, engine.trace
    for walker in reading.walkers(output, streaming=True):
        while engine.step(walker):
            take(frame)
            trace.clear()
            carried.clear()
        engine.drain()
        if table is not None:
            table.settle()
        output.flush()
    return reading.status()


def _row_writer(kind: str, output: Output, table: Table | None, describer: Describer) -> Callable[[Frame], None]:
    if table is None:
        write = _write_json if kind == "json" else _write_csv
        return lambda frame: output.write(write(frame, *describer.describe(frame)))
    start = -1

    def add(frame: Frame) -> None:
        nonlocal start
        source, destination, protocol, info = describer.describe(frame)
        if start < 0:
            start = frame.at
        time = f"{(frame.at - start) / 1_000_000_000:.6f}" if frame.at >= 0 else ""
        style = STYLES.get(protocol, "cyan" if protocol.startswith(("TLS", "SSL")) else "")
        table.add(
            [str(frame.number), time, source, destination, (harmless(protocol), style), str(frame.wire_length), harmless(info)]
        )

    return add


def _write_json(frame: Frame, source: str, destination: str, protocol: str, info: str) -> bytes:
    return json_line(
        {
            "number": frame.number,
            "time": rfc3339(frame.at),
            "source": source or None,
            "destination": destination or None,
            "protocol": protocol,
            "length": frame.wire_length,
            "info": info,
        }
    )


def _write_csv(frame: Frame, source: str, destination: str, protocol: str, info: str) -> bytes:
    return csv_row([frame.number, rfc3339(frame.at), source, destination, protocol, frame.wire_length, info]).encode()
